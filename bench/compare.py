#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py - what changed between two runs of `kcheck --bench --json`

usage: bench/compare.py OLD.json NEW.json [--all]

A row is reported when its minimum moved by more than the two runs' combined
spread, and by more than 3 %; --all prints every row. Exits 1 when a row got
slower.
"""
import json
import sys


def load(path):
    with open(path, encoding="utf-8") as f:
        data = json.load(f)
    samples = {}
    for row in data["rows"]:
        for sample in row.get("bench", []):
            samples[row["kernel"], sample["label"]] = sample
    return samples


def main(argv):
    names = [a for a in argv if not a.startswith("--")]
    if len(names) != 2 or set(argv) - set(names) - {"--all"}:
        print(__doc__.strip())
        return 2
    old, new = load(names[0]), load(names[1])
    slower = faster = 0
    for key in sorted(old.keys() & new.keys()):
        a, b = old[key], new[key]
        change = b["min_ns"] / a["min_ns"] - 1
        noise = max(0.03, a["spread"] + b["spread"])
        word = ""
        if abs(change) > noise:
            word = "slower" if change > 0 else "faster"
        slower += word == "slower"
        faster += word == "faster"
        if word or "--all" in argv:
            print("%-36s %-22s %12.1f -> %12.1f ns  %+6.1f %% (noise %.1f %%) %s"
                  % (*key, a["min_ns"], b["min_ns"], 100 * change, 100 * noise,
                     word))
    for key in sorted(old.keys() - new.keys()):
        print("%-36s %-22s only in %s" % (*key, names[0]))
    for key in sorted(new.keys() - old.keys()):
        print("%-36s %-22s only in %s" % (*key, names[1]))
    print("%d rows, %d slower, %d faster"
          % (len(old.keys() & new.keys()), slower, faster))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
