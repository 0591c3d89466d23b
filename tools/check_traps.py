#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fail when the table of traps names a test that does not exist or does not run."""
import os
import re
import sys

top = sys.argv[1] if len(sys.argv) > 1 else "."
table = os.path.join("docs", "modules", "data_traps.md")
errors, n = [], 0
with open(os.path.join(top, table), encoding="utf-8") as f:
    named = re.findall(r"`(test_\w+): (\w+)`", f.read())
for file, test in named:
    path = os.path.join(top, "tests", "unit", "data", file + ".c")
    if not os.path.exists(path):
        errors.append("%s: there is no %s.c" % (table, file))
        continue
    with open(path, encoding="utf-8") as f:
        text = f.read()
    main = text.find("int main(void)")
    if not re.search(r"^static void %s\(void \*\*state\)" % test, text, re.M):
        errors.append("%s: %s.c has no test %s" % (table, file, test))
    elif not re.search(r"\b%s\b" % test, text[main:]):
        errors.append("%s: %s is in %s.c, but does not run" % (table, test, file))
    n += 1
if not named:
    errors.append("%s: no test is named" % table)
print("\n".join(errors) if errors else "%d tests of traps are there" % n)
sys.exit(1 if errors else 0)
