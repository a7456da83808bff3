"""The settings of isolated_cc_test, and what is a right value of each.

They are the flags of settings.h; each one's right values are those of its C++ type
(flag_values.h, leak_policy.h, allowed_leaks.h, isolation.h).
"""

# Each setting whose right values are few.
_CHOICES = {
    "audit": ["names", "off"],
    "isolate": ["on", "off"],
    "network": ["loopback", "none", "host"],
    "scope": ["test", "suite"],
    "spawn": ["fork", "exec"],
    "suite_setup": ["each", "snapshot"],
    "verbose": ["timing", "off"],
}

# Each that is a size, with the words for none of one's own.
_SIZES = {
    "memory": ["none"],
    "output_limit": [],
    "tmp_size": ["half"],
}

_TIMES = ["grace", "slow", "test_timeout"]

_TIME_UNITS = ["ns", "us", "ms", "s", "m", "h"]

# Any text may be right.
_FILES = ["history", "report", "trace"]

_LEAK_KINDS = [
    "ports",
    "time_wait",
    "sysv",
    "posix",
    "processes",
    "threads",
    "fds",
    "files",
    "state",
    "ipc",
    "all",
]

_ISOLATIONS = ["pid", "network", "sys", "ipc", "mqueue", "uts", "mount", "cgroup"]

_LEAK_POLICIES = ["off", "report", "fail"]

_HOSTNAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

_MAX_HOSTNAME = 64
_MAX_JOBS = 1024

def _is_size(text):
    digits = text[:-1] if text[-1:] in ["K", "M", "G"] else text
    return digits.isdigit() and int(digits) > 0

def _is_number(text):
    return text.replace(".", "", 1).isdigit()

def _is_time(text):
    if text == "inf":
        return True
    number, unit = "", ""
    for character in (text + "0").elems():  # the 0 ends the last unit
        if character.isdigit() or character == ".":
            if unit:
                if not _is_number(number) or unit not in _TIME_UNITS:
                    return False
                number, unit = "", ""
            number += character
        else:
            unit += character
    return text != "" and number == "0"

def _is_hostname(text):
    return 0 < len(text) and len(text) <= _MAX_HOSTNAME and text.strip(_HOSTNAME_CHARACTERS) == ""

def _is_leak_policy(entry):
    kind, colon, policy = entry.partition(":")
    if not colon:
        kind, policy = "all", entry
    return kind in _LEAK_KINDS and policy in _LEAK_POLICIES

def _is_allowed_leak(entry):
    # The file of "@FILE" is read when the test runs.
    if entry.startswith("@"):
        return len(entry) > 1
    kind, colon, pattern = entry.partition(":")
    if "[" in kind:  # the tests may have colons between them
        kind, _, rest = entry.partition("[")
        tests, _, after = rest.partition("]")
        if not tests or not after.startswith(":"):
            return False
        colon, pattern = ":", after[1:]
    return kind in _LEAK_KINDS and colon != "" and pattern != ""

def _expected(setting, text):
    """What would be right, if `text` is not right for the setting; None if it is."""
    if setting in _CHOICES:
        if text not in _CHOICES[setting]:
            return " or ".join(_CHOICES[setting])
    elif setting in _SIZES:
        if text not in _SIZES[setting] and not _is_size(text):
            return ", or ".join(_SIZES[setting] + ["a number of bytes, with K, M or G if wanted"])
    elif setting in _TIMES:
        if not _is_time(text):
            return "inf, or a number with its unit, such as \"10s\" or \"500ms\""
    elif setting == "keep":
        kind, colon, time = text.partition(":")
        if text not in ["none", "failed"] and not (kind == "failed" and colon and _is_time(time)):
            return "none, failed, or failed and for how long, as \"failed:1h\""
    elif setting == "hostname":
        if not _is_hostname(text):
            return "1 to %d letters, digits, hyphens or dots" % _MAX_HOSTNAME
    elif setting == "leaks":
        if not all([_is_leak_policy(entry) for entry in text.split(",")]):
            return ("KIND:POLICY, or several, as [\"ports:fail\", \"files:off\"]; the kinds are " +
                    ", ".join(_LEAK_KINDS) + "; the policies " + ", ".join(_LEAK_POLICIES))
    elif setting == "allow_leaks":
        if not all([_is_allowed_leak(entry) for entry in text.split(",")]):
            return ("KIND:PATTERN, KIND[TESTS]:PATTERN or @FILE, or several, as " +
                    "[\"fds:*/app.log\"]; the kinds are " + ", ".join(_LEAK_KINDS))
    elif setting in ["prefer", "require"]:
        if text not in ["all", "none"] and not all([kind in _ISOLATIONS for kind in text.split(",")]):
            return "none, all, or some of " + ", ".join(_ISOLATIONS)
    elif setting == "jobs":
        if not text.isdigit() or int(text) < 1 or int(text) > _MAX_JOBS:
            return "a number from 1 to %d" % _MAX_JOBS
    elif setting not in _FILES:
        fail("no such setting: " + setting)
    return None

def _as_text(setting, value):
    """The value as the flag has it; None for a type that no flag has."""
    if type(value) == "string":
        return value
    if type(value) == "int" and setting == "jobs":
        return str(value)
    if type(value) == "list" and setting in ["allow_leaks", "leaks", "prefer", "require"]:
        return ",".join(value)
    return None

def settings_environment(target, settings):
    """The variables that bring a target's settings to the plugin.

    Fails, with what is right, if a value is wrong.

    Args:
      target: name of the target, for messages.
      settings: {name: value}; None: not given.

    Returns:
      {name: value}, for the attribute env.
    """
    variables = {}
    for setting, value in settings.items():
        if value == None:
            continue
        text = _as_text(setting, value)
        if text == None:
            fail("%s: %s: expected a %s, not a %s: the value is checked when the BUILD file is loaded" % (
                target,
                setting,
                "number" if setting == "jobs" else "string",
                type(value),
            ))
        expected = _expected(setting, text)
        if expected:
            fail("%s: %s = %s: expected %s" % (target, setting, repr(value), expected))
        flag = {"isolate": "", "test_timeout": "_timeout"}.get(setting, "_" + setting)
        variables["ISOLATE_DEFAULT" + flag.upper()] = text
    if settings.get("spawn") == "exec" and settings.get("suite_setup") == "snapshot":
        fail("%s: spawn = \"exec\": not with suite_setup = \"snapshot\", whose tests are forks" % target)
    return variables
