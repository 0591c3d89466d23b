#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare bfloat16 products with float32 on every stored model that has any.

Each model is run on its recorded or on random inputs: in float32, in bfloat16
with one thread and with two. Both of the latter must give the same bits; and of
each output of floats the root mean square of the difference must stay within
BOUND of that of the answer. Outputs that are indices, or of another size (boxes
above a threshold), are not compared. Only the standard library is needed. Ends
with "N passed, N failed".
"""
import argparse
import array
import glob
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

# Operands are rounded to eight bits, an error of 2^-9 each at most; layers after
# one another and sums that cancel add to it.
BOUND = 1 / 16
# Errors below do not count: probabilities of what is not there are a few parts
# in a million, and deviate as their logarithms do.
FLOOR = 1e-3


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300,
                          check=False)


def read_npy(path):
    """The bytes of an array's values, and the values when they are floats."""
    with open(path, "rb") as f:
        f.seek(8)
        header = f.read(int.from_bytes(f.read(2), "little")).decode("latin-1")
        raw = f.read()
    kind = re.search(r"'descr': *'([^']*)'", header)
    values = None
    if kind and kind.group(1) in ("<f4", "<f8"):
        values = array.array("f" if kind.group(1) == "<f4" else "d", raw)
    return raw, values


def deviation(got, want):
    """Of root mean squares; 0 where they cannot be compared or it is tiny."""
    pairs = [(x, y) for x, y in zip(got, want)
             if math.isfinite(x) and math.isfinite(y)]
    if len(got) != len(want) or not pairs:
        return 0.0
    size = math.fsum(y * y for _, y in pairs)
    error = math.fsum((x - y) ** 2 for x, y in pairs)
    if error <= FLOOR * FLOOR * len(pairs):
        return 0.0
    return math.sqrt(error / size) if size > 0 else math.inf


def recorded(root):
    """Inputs of models as arguments, by path: recorded ones where there are."""
    found = {}
    for path in sorted(glob.glob(root + "/models/*/ref/*/meta.json")):
        with open(path, encoding="utf-8") as f:
            meta = json.load(f)
        where = os.path.dirname(path)
        files = [(v.get("name"), os.path.join(where, v["file"]))
                 for v in meta["inputs"]]
        if all(n and f.endswith(".npy") for n, f in files):
            found[os.path.join(root, meta["model"])] = [
                "%s=%s" % pair for pair in files]
    return found


def compare(tenon, model, inputs, tmp):
    """What is wrong, or None; and the largest deviation."""
    folders = [os.path.join(tmp, n) for n in ("f32", "one", "two")]
    options = (["--threads", "1"],
               ["--threads", "1", "--precision", "bf16"],
               ["--threads", "2", "--precision", "bf16"])
    for folder, option in zip(folders, options):
        shutil.rmtree(folder, ignore_errors=True)
        done = run([tenon, "run", model, "-o", folder] + option + inputs)
        if done.returncode != 0:
            return done.stderr.strip(), 0.0
    worst = 0.0
    for name in sorted(os.listdir(folders[0])):
        (_, want), (one, got), (two, _) = (
            read_npy(os.path.join(f, name)) for f in folders)
        if one != two:
            return "%s: other bits with two threads" % name, worst
        if want is None:
            continue
        worst = max(worst, deviation(got, want))
    return None if worst <= BOUND else "deviates", worst


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("tenon")
    p.add_argument("root", help="the test-data folder")
    p.add_argument("--only", default="")
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    models = sorted(glob.glob(a.root + "/models/**/*.onnx", recursive=True))
    if not models:
        print("skipped: no test data at the given folder")
    inputs = recorded(a.root)
    passed, failed = 0, []
    tmp = tempfile.mkdtemp(prefix="tenon-bf16-")
    for model in models:
        if a.only not in model:
            continue
        done = run([a.tenon, "inspect", model, "--precision", "bf16", "--json"])
        try:
            steps = json.loads(done.stdout).get("bf16_steps", 0)
        except ValueError:
            steps = 0
        if steps == 0:
            continue
        given = inputs.get(model, ["--random", "7"])
        error, worst = compare(a.tenon, model, given, tmp)
        name = os.path.relpath(model, a.root)
        if a.verbose:
            print("%-60s %4d products %.5f" % (name, steps, worst))
        if error is None:
            passed += 1
        else:
            failed.append(name)
            print("FAIL %s\n     %s: %.4f" % (name, error, worst))
    shutil.rmtree(tmp, ignore_errors=True)
    print("%d passed, %d failed" % (passed, len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
