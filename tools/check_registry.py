#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when a member file has no line in its table, or a line no file."""
import glob
import os
import re
import sys

top = sys.argv[1] if len(sys.argv) > 1 else "."
errors = []
# table, macro, member files, must the lines be alphabetical?
tables = [
    ("src/ops/ops.def", "TN_OP", "src/ops/op_*.c", True),
    ("src/passes/passes.def", "TN_PASS", "src/passes/pass_*.c", False),
    ("src/image/codecs/codecs.def", "TN_CODEC", "src/image/codecs/codec_*.c", True),
    ("src/data/formats/formats.def", "TN_FORMAT",
     "src/data/formats/format_*.c", True),
    ("cli/commands.def", "TN_COMMAND", "cli/cmd_*.c", False),
    ("tests/kcheck/families.def", "KC_FAMILY", "tests/kcheck/kc_*.c", False),
]
for table, macro, pattern, sorted_lines in tables:
    with open(os.path.join(top, table), encoding="utf-8") as f:
        names = re.findall(r"^%s\((\w+)" % macro, f.read(), re.M)
    prefix = os.path.basename(pattern).split("*")[0]
    files = {os.path.basename(p)[len(prefix):-2]
             for p in glob.glob(os.path.join(top, pattern))}
    for name in sorted(set(n for n in names if names.count(n) > 1)):
        errors.append("%s: %s is there twice" % (table, name))
    for name in sorted(files - set(names)):
        errors.append("%s: no line for %s%s.c" % (table, prefix, name))
    for name in sorted(set(names) - files):
        errors.append("%s: %s has no file %s%s.c" % (table, name, prefix, name))
    if sorted_lines and names != sorted(names):
        first = next(a for a, b in zip(names, sorted(names)) if a != b)
        errors.append("%s: not alphabetical from %s on" % (table, first))
# File names are unique in the whole tree: debuggers and editors say only them.
seen = {}
for folder in ("src", "cli", "tests", "examples"):
    for path in glob.glob(os.path.join(top, folder, "**", "*.[ch]"),
                          recursive=True):
        base = os.path.basename(path)
        if base in seen and base not in ("immintrin.h",):
            errors.append("two files are called %s: %s and %s"
                          % (base, seen[base], path))
        seen[base] = path
print("\n".join(errors) if errors else "tables and files agree")
sys.exit(1 if errors else 0)
