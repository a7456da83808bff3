"""program(): one of GoogleTest's own test programs, plain and isolated."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def program(name, own_main = False):
    """Declares plain/`name` and isolated/`name`.

    Both have the same base name, as scripts and reports want it.

    Args:
      name: of the program and of its library in @googletest_suites.
      own_main: its sources have a main(), which calls InitGoogleTest or InitGoogleMock.
    """
    if own_main:
        mains = {
            "isolated": [":install_at_init"],
            "plain": [],
        }
    else:
        mains = {
            "isolated": ["//gtest_plugin:main"],
            "plain": ["@com_google_googletest//:gtest_main"],
        }
    for folder, main in mains.items():
        cc_binary(
            name = folder + "/" + name,
            testonly = True,
            # BUILD says why.
            tags = ["manual"],
            deps = ["@googletest_suites//:" + name] + main,
        )
