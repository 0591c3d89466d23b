#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on functions the library does not use, and on files that grew too long.

Memory goes through base/alloc.c, numbers through locale-free code, output
through the caller; nothing in src/ prints, exits or keeps global state.
"""
import glob
import os
import re
import sys

top = sys.argv[1] if len(sys.argv) > 1 else "."
banned = {
    "malloc|calloc|realloc|aligned_alloc|free": {"src/base/alloc.c"},
    "strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|sscanf": set(),
    "printf|puts|putchar|perror|abort|exit|_exit|longjmp|setjmp|alloca": set(),
    "setlocale|localtime|asctime|rand|srand|getenv|signal|fesetround": set(),
}
long_ok = set()
errors = []
for path in sorted(glob.glob(os.path.join(top, "src", "**", "*.[ch]"),
                             recursive=True)):
    name = os.path.relpath(path, top)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    lines = text.count("\n")
    if lines > 1000 and name not in long_ok:
        errors.append("%s: %d lines, at most 1000" % (name, lines))
    if not text.startswith("/* SPDX-License-Identifier: Apache-2.0 */"):
        errors.append("%s: does not begin with the SPDX line" % name)
    code = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"', lambda m: "\n" *
                  m.group(0).count("\n"), text, flags=re.S)
    for pattern, where in banned.items():
        if name in where:
            continue
        for m in re.finditer(r"(?<![\w.>])(%s)\s*\(" % pattern, code):
            number = code.count("\n", 0, m.start()) + 1
            errors.append("%s:%d: %s is not used here" % (name, number,
                                                          m.group(1)))
    if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text):
        errors.append("%s: an open note (TODO and the like)" % name)
print("\n".join(errors) if errors else "nothing forbidden")
sys.exit(1 if errors else 0)
