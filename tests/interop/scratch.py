# SPDX-License-Identifier: Apache-2.0
"""scratch.py - a Python environment of its own for what other people wrote

make(build, requirements) installs a file of pinned requirements under the build
folder, once: the folder is named after the file's bytes. It returns the Python
to run, or raises Skipped with the reason when that cannot be done here.
"""
import hashlib
import os
import shutil
import subprocess
import sys


class Skipped(Exception):
    """Why there is no such environment."""


def make(build, requirements):
    with open(requirements, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()[:12]
    stem = os.path.splitext(os.path.basename(requirements))[0]
    folder = os.path.join(build, "scratch", "%s-%d.%d-%s" % (
        stem, *sys.version_info[:2], digest))
    python = os.path.join(folder, "bin", "python")
    if os.path.exists(os.path.join(folder, "complete")):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    steps = ([sys.executable, "-m", "venv", folder],
             [python, "-m", "pip", "install", "--quiet", "--no-input",
              "--disable-pip-version-check", "--prefer-binary", "--retries", "1",
              "-r", requirements])
    for step in steps:
        try:
            r = subprocess.run(step, capture_output=True, text=True, timeout=1200)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Skipped("%s: %s" % (step[2], e)) from e
        if r.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            lines = [x for x in (r.stderr + r.stdout).splitlines()
                     if "ERROR" in x or "error" in x] or [r.stderr.strip() or "failed"]
            raise Skipped("%s: %s" % (" ".join(step[1:3]), lines[-1].strip()[:300]))
    with open(os.path.join(folder, "complete"), "w", encoding="ascii") as f:
        f.write("yes\n")
    return python
