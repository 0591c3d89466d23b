# SPDX-License-Identifier: Apache-2.0
"""env.py - a scratch environment with the peers, made on first use."""

import os
import subprocess
import sys
import venv

# Without these nothing can be made or compared; a peer may be missing.
NEEDED = ["numpy", "onnx"]
PEERS = ["onnxruntime", "openvino"]


def _imports(python, module):
    return subprocess.run([python, "-c", f"import {module}"],
                          capture_output=True).returncode == 0


def _install(python, modules):
    """What pip could not install of these, and why, by name."""
    failed = {}
    for module in modules:
        r = subprocess.run([python, "-m", "pip", "install", "-q",
                            "--disable-pip-version-check", module],
                           capture_output=True, text=True)
        if r.returncode:
            lines = [x for x in r.stderr.splitlines() if "ERROR" in x]
            failed[module] = (lines or ["pip failed"])[-1]
    return failed


def enter(folder, wanted=None):
    """Goes on in the environment; returns what it lacks, by name.

    Makes the environment when there is none, installs what is missing and
    starts this script anew with its Python.
    """
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        print(f"making the environment {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    wanted = NEEDED + (PEERS if wanted is None else wanted)
    failed = _install(python, [m for m in wanted if not _imports(python, m)])
    for module in NEEDED:
        if module in failed:
            sys.exit(f"{os.path.basename(sys.argv[0])}: cannot do without "
                     f"{module}: {failed[module]}")
    if os.path.realpath(sys.prefix) != os.path.realpath(folder):
        os.execv(python, [python, *sys.argv])
    return failed
