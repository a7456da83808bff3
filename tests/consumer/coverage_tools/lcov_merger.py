#!/usr/bin/env python3
"""Merges what gcov counted into one lcov report, as `bazel coverage` wants it.

Bazel's own program for that is an archive from the web, which is not to be had everywhere.
"""

import argparse
import collections
import gzip
import json
import pathlib


def counts(folder):
    """{source: {line: how often it ran}}, of the sources of this workspace."""
    found = collections.defaultdict(collections.Counter)
    for path in pathlib.Path(folder).rglob("*.gcov.json.gz"):
        with gzip.open(path) as report:
            for source in json.load(report)["files"]:
                if not source["file"].startswith(("/", "external/")):
                    for line in source["lines"]:
                        found[source["file"]][line["line_number"]] += line["count"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--coverage_dir", required=True)
    parser.add_argument("--output_file", required=True)
    # The others say what to leave out, and counts() keeps less.
    arguments, _ = parser.parse_known_args()
    with open(arguments.output_file, "w", encoding="utf-8") as report:
        for source, lines in sorted(counts(arguments.coverage_dir).items()):
            print(f"SF:{source}", file=report)
            for line, count in sorted(lines.items()):
                print(f"DA:{line},{count}", file=report)
            print("end_of_record", file=report)


if __name__ == "__main__":
    main()
