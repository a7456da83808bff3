"""Runs a test program in shards that are actions of their own, wherever Bazel runs actions.

A test has 50 shards at most, and they are one test to Bazel; these are for suites for which one machine
is too small.
"""

def _shards_impl(ctx):
    reports = []
    for index in range(ctx.attr.count):
        report = ctx.actions.declare_file("%s/%d.xml" % (ctx.label.name, index))
        reports.append(report)
        ctx.actions.run(
            # A file in the top folder has a path by which no program is found.
            executable = "/bin/sh",
            arguments = [ctx.file.worker.path, ctx.executable.test.path],
            inputs = [ctx.file.worker],
            env = {
                "GTEST_SHARD_INDEX": str(index),
                "GTEST_TOTAL_SHARDS": str(ctx.attr.count),
                "XML_OUTPUT_FILE": report.path,
            },
            tools = [ctx.attr.test.files_to_run],
            outputs = [report],
            # A result out of a cache would show nothing of this machine.
            execution_requirements = {"no-cache": "1"},
            mnemonic = "Shard",
            progress_message = "Running shard %d of %s" % (index, ctx.attr.test.label),
        )
    return [DefaultInfo(
        files = depset(reports),
        runfiles = ctx.runfiles(files = reports),
    )]

shards = rule(
    implementation = _shards_impl,
    doc = "The XML reports NAME/INDEX.xml of a GoogleTest program's shards.",
    attrs = {
        "count": attr.int(doc = "How many shards there are.", mandatory = True),
        "test": attr.label(
            cfg = "target",
            doc = "The program.",
            executable = True,
            mandatory = True,
        ),
        "worker": attr.label(
            allow_single_file = True,
            doc = "A script that runs it: gets its path.",
            mandatory = True,
        ),
    },
)
