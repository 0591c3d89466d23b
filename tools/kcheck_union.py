#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kcheck_union.py - fail when a kernel row ran on none of the machines

usage: tools/kcheck_union.py [--glob PATTERN] REPORT.json ...

Each report is the output of `kcheck --json` somewhere: natively, as
kcheck-emu512, under qemu. A row that every report skips was never tested.
"""
import glob
import json
import sys


def main(paths):
    if not paths:
        print(__doc__.strip())
        return 2
    if paths[0] == "--glob" and len(paths) > 1:
        paths = sorted(glob.glob(paths[1])) + paths[2:]
    best = {}
    rank = {"FAIL": 3, "PASS": 2, "SKIP": 1}
    for path in paths:
        with open(path, encoding="utf-8") as f:
            for row in json.load(f)["rows"]:
                key = (row["family"], row["kernel"])
                if rank[row["result"]] > rank.get(best.get(key), 0):
                    best[key] = row["result"]
    failed = sorted(k for k, v in best.items() if v == "FAIL")
    nowhere = sorted(k for k, v in best.items() if v == "SKIP")
    for family, kernel in failed:
        print("FAIL     %s %s" % (family, kernel))
    for family, kernel in nowhere:
        print("NOWHERE  %s %s" % (family, kernel))
    print("%d rows: %d passed, %d failed, %d ran nowhere"
          % (len(best), len(best) - len(failed) - len(nowhere), len(failed),
             len(nowhere)))
    return 1 if failed or nowhere else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
