"""specimen(): a gtest program of which a test knows what it has to say."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//tools:copts.bzl", "ISOLATE_COPTS")

def specimen(name, src = None, own_main = False, deps = []):
    """Declares plain/`name` and isolated/`name`, from one file.

    Both have the same base name, which gtest gives to reports.

    Args:
      name: of the program.
      src: the file; `name`.cc if it is not given.
      own_main: the file has a main(), which calls Install() from install.h; it
        does nothing in plain/`name`.
      deps: what the file needs beside gtest.
    """
    if own_main:
        mains = {
            "isolated": ":install",
            "plain": ":install_nothing",
        }
        deps = deps + [":install_header"]
    else:
        mains = {
            "isolated": "//gtest_plugin:main",
            "plain": "@com_google_googletest//:gtest_main",
        }
    cc_library(
        name = name,
        testonly = True,
        srcs = [src or name + ".cc"],
        copts = ISOLATE_COPTS,
        deps = deps + ["@com_google_googletest//:gtest"],
        # Nobody calls a test by its name.
        alwayslink = True,
    )
    for folder, main in mains.items():
        cc_binary(
            name = folder + "/" + name,
            testonly = True,
            visibility = ["//tests/plugin:__pkg__"],
            # In this order: the specimen calls what the other has.
            deps = [
                name,
                main,
            ],
        )
