#!/usr/bin/env python3
"""Makes an lcov tracefile (geninfo(1)) out of what gcov has written as JSON (gcov(1)).

In place of Bazel's own merger, which machines without GitHub cannot have.

usage: merge.py --coverage_dir=FOLDER --output_file=FILE ...
"""

import argparse
import collections
import gzip
import json
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("--coverage_dir", type=pathlib.Path)
parser.add_argument("--output_file", type=pathlib.Path)
arguments, _ = parser.parse_known_args()

counts = collections.defaultdict(collections.Counter)
for path in arguments.coverage_dir.rglob("*.gcov.json.gz"):
    for source in json.loads(gzip.decompress(path.read_bytes()))["files"]:
        for line in source["lines"]:
            counts[source["file"]][line["line_number"]] += line["count"]

with open(arguments.output_file, "w") as output:
    for source, lines in sorted(counts.items()):
        print(f"SF:{source}", file=output)
        for line in sorted(lines):
            print(f"DA:{line},{lines[line]}", file=output)
        print("end_of_record", file=output)
