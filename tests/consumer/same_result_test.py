#!/usr/bin/env python3
"""The reports of all shards say together what the report of a whole run says."""

import pathlib
import re
import sys
import xml.etree.ElementTree

# What differs from run to run: numbers of processes and addresses, in what a crash says.
NUMBERS = re.compile(r"\b(0x[0-9a-f]+|\d+)\b")


def outcome(case):
    """What a <testcase> says, but for when and how long it ran."""
    says = sorted(
        (part.tag, part.get("name"), NUMBERS.sub("N", part.get("message") or part.get("value") or ""))
        for part in case.iter()
        if part is not case
    )
    return case.get("status"), case.get("result"), says


def outcomes(reports):
    """{test: its outcome}; in shards, of the one that ran it."""
    found = {}
    for report in reports:
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if name in found and found[name][0] == "run" == case.get("status"):
                sys.exit(f"{name} ran in two shards")
            if name not in found or case.get("status") == "run":
                found[name] = outcome(case)
    return found


def main():
    shards, whole = (sorted(pathlib.Path(folder).glob("*.xml")) for folder in sys.argv[1:3])
    count = int(sys.argv[3])
    if len(shards) != count or len(whole) != 1:
        sys.exit(f"there are {len(shards)} shards, not {count}, and {len(whole)} whole runs")
    of_shards, of_whole = outcomes(shards), outcomes(whole)
    for name in sorted(of_shards.keys() | of_whole.keys()):
        if of_shards.get(name) != of_whole.get(name):
            sys.exit(f"{name}:\n  shards: {of_shards.get(name)}\n  whole: {of_whole.get(name)}")
    ran = sum(1 for status, *_ in of_whole.values() if status == "run")
    print(f"{ran} tests in {count} shards")
    if ran < count:
        sys.exit("some shards had nothing to do")


if __name__ == "__main__":
    main()
