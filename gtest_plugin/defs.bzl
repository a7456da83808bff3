"""isolated_cc_test: a cc_test whose every test runs in a Linux sandbox of its own.

    load("@isolate//gtest_plugin:defs.bzl", "isolated_cc_test")

    isolated_cc_test(
        name = "server_test",
        srcs = ["server_test.cc"],
        jobs = 4,
        leaks = "ports:fail",
        deps = [
            ":server",
            "@com_google_googletest//:gtest",
        ],
    )
"""

load("@rules_cc//cc:defs.bzl", "cc_test")
load(":settings.bzl", "settings_environment")

# Labels, not strings: they mean this repository, whatever its user calls it.
_MAIN = Label("//gtest_plugin:main")
_PLUGIN = Label("//gtest_plugin")

def _check_deps(target, deps):
    """Fails for gtest's own main: which of two is linked depends on the order of archives."""
    if type(deps) != "list":
        return  # a select(), which cannot be looked into
    for dep in deps:
        if str(dep).endswith(":gtest_main") and "googletest" in str(dep) or str(dep).endswith(":gmock_main"):
            fail("%s: deps: %s has a main without isolation; write the same repository's :gtest in its place" % (target, dep))

def isolated_cc_test(
        name,
        main = _MAIN,
        isolate = None,
        jobs = None,
        scope = None,
        suite_setup = None,
        spawn = None,
        network = None,
        hostname = None,
        tmp_size = None,
        memory = None,
        output_limit = None,
        test_timeout = None,
        slow = None,
        grace = None,
        keep = None,
        leaks = None,
        allow_leaks = None,
        audit = None,
        report = None,
        trace = None,
        history = None,
        verbose = None,
        prefer = None,
        require = None,
        deps = [],
        env = {},
        tags = [],
        **kwargs):
    """A cc_test whose every test runs in a Linux sandbox of its own.

    The settings are the --isolate_* flags (README.md says what each does). A wrong value is an
    error when the BUILD file is loaded. Each holds unless the command line says otherwise:
    --test_env=ISOLATE_JOBS=1 and --test_arg=--isolate_jobs=1 win over jobs = 4.

    Args:
      name: as in cc_test.
      main: the library that has main(); None: the test's own sources have it, and it calls
        isolate::gtest::Install() as examples/own_main.cc does. A main that does not, isolates nothing.
      isolate: "on" or "off".
      jobs: how many tests run at once. Bazel keeps as many processors free for them (the tag cpu:N).
      scope: "test" or "suite": what has a sandbox of its own.
      suite_setup: "each" or "snapshot".
      spawn: "fork" or "exec".
      network: "loopback", "none" or "host".
      hostname: the host name that a test sees.
      tmp_size: limit of each private folder, as "512M".
      memory: limit of each process of a test, as "1G".
      output_limit: how much of a test's output is kept, as "64M".
      test_timeout: time limit of each test, as "10s"; `timeout` is Bazel's, for all of them together.
      slow: a test is named that still runs after this time.
      grace: time from SIGTERM to the end of the sandbox.
      keep: "none" or "failed": of which tests the files are kept.
      leaks: "report", "fail" or "off", or by kind, as ["ports:fail", "files:off"].
      allow_leaks: leaks that are meant, as ["fds:*/app.log"]. "@$(rootpath :leaks.txt)" is a file of
        them that stands in data, too; a dollar sign is written $$.
      audit: "names" or "off": whether it is recorded which tests would fight.
      report: file of the report, in Bazel's undeclared outputs.
      trace: file of the run's picture, in Bazel's undeclared outputs.
      history: file of the tests' durations.
      verbose: "timing" or "off".
      prefer: kinds of isolation that a test may do without where the host refuses them, as
        ["mqueue", "sys"].
      require: kinds that it may not, whatever `prefer` says; "all": none of them.
      deps: as in cc_test, without gtest_main.
      env: as in cc_test, but no select().
      tags: as in cc_test; "isolated" is added.
      **kwargs: the other attributes of cc_test.
    """
    _check_deps(name, deps)
    if type(env) == "select":
        fail("%s: env: a select() cannot be joined with the settings" % name)
    settings = {
        "allow_leaks": allow_leaks,
        "audit": audit,
        "grace": grace,
        "history": history,
        "hostname": hostname,
        "isolate": isolate,
        "jobs": jobs,
        "keep": keep,
        "leaks": leaks,
        "memory": memory,
        "network": network,
        "output_limit": output_limit,
        "prefer": prefer,
        "report": report,
        "require": require,
        "scope": scope,
        "slow": slow,
        "spawn": spawn,
        "suite_setup": suite_setup,
        "test_timeout": test_timeout,
        "tmp_size": tmp_size,
        "trace": trace,
        "verbose": verbose,
    }
    environment = settings_environment(name, settings)
    tags = tags + ["isolated"]
    if jobs and not [tag for tag in tags if tag.startswith("cpu:")]:
        tags = tags + ["cpu:%d" % jobs]
    cc_test(
        name = name,
        env = dict(environment, **env),
        tags = tags,
        # First, so that a main that another library brings along does not come before it.
        deps = [main or _PLUGIN] + deps,
        **kwargs
    )
