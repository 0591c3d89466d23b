#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fail on an #include that src/LAYERS does not allow."""
import os
import re
import sys

top = sys.argv[1] if len(sys.argv) > 1 else "."
src = os.path.join(top, "src")
allowed, order, errors = {}, [], []
with open(os.path.join(src, "LAYERS"), encoding="utf-8") as f:
    for line in f:
        line = line.split("#")[0].strip()
        if line:
            name, _, deps = line.partition(":")
            allowed[name.strip()] = set(deps.split())
            order.append(name.strip())
for name in order:
    for dep in allowed[name]:
        if dep not in order or order.index(dep) >= order.index(name):
            errors.append("LAYERS: %s may not include %s, which is not above it"
                          % (name, dep))
for folder, _, files in sorted(os.walk(src)):
    module = os.path.relpath(folder, src).split(os.sep)[0]
    for file in sorted(files):
        if not file.endswith((".c", ".h", ".def")) or module == ".":
            continue
        if module not in allowed:
            errors.append("%s/%s: module '%s' is not in LAYERS"
                          % (folder, file, module))
            break
        path = os.path.join(folder, file)
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                m = re.match(r'\s*#\s*include\s+"([a-z0-9_]+)/', line)
                if not m or m.group(1) in ("tenon", module):
                    continue
                if m.group(1) not in allowed[module]:
                    errors.append("%s:%d: %s may not include %s"
                                  % (path, number, module, m.group(1)))
print("\n".join(errors) if errors else "%d modules ok" % len(order))
sys.exit(1 if errors else 0)
