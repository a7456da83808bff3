"""real_suite(): somebody else's GoogleTest suite, run plain and isolated."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

def real_suite(name, tests, at_least, in_folder_of = None, left_out = {}, leaks = None, tags = [], **kwargs):
    """Declares `name`_test: the suite gives the same report both ways.

    It runs two programs, `name`_plain, with GoogleTest's own main(), and
    `name`_isolated, with ours.

    Args:
      name: of the suite.
      tests: label of the suite as a library without main().
      at_least: how many tests have to run, lest a suite that has come apart
        passes for one that runs well.
      in_folder_of: label of a file; the tests run in the folder that it is in.
      left_out: what not to run, as {pattern of --gtest_filter: reason}.
      leaks: label of a file with the leaks that are known (--isolate_allow_leaks); any other fails
        the test.
      tags: of all three.
      **kwargs: for the test.
    """
    plain = name + "_plain"
    isolated = name + "_isolated"
    for program, main in [
        (plain, "@com_google_googletest//:gtest_main"),
        (isolated, "//gtest_plugin:main"),
    ]:
        cc_binary(
            name = program,
            testonly = True,
            tags = tags,
            deps = [
                main,
                tests,
            ],
        )

    args = [
        "--plain=$(rootpath :%s)" % plain,
        "--isolated=$(rootpath :%s)" % isolated,
        "--at_least=%d" % at_least,
    ]
    data = [plain, isolated]
    if in_folder_of:
        args.append("--in_folder_of=$(rootpath %s)" % in_folder_of)
        data.append(in_folder_of)
    if leaks:
        args.append("--leaks=$(rootpath %s)" % leaks)
        data.append(leaks)
    if left_out:
        args.append("--exclude=" + ":".join(left_out.keys()))
    cc_test(
        name = name + "_test",
        args = args,
        data = data,
        # Many of these tests measure time: nothing may run beside them.
        tags = tags + ["cpu:4"],
        deps = [":compare_suite"],
        **kwargs
    )
