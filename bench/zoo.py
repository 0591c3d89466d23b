#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""zoo.py - every model of a folder, Tenon beside ONNX Runtime, as Markdown.

Each model with its stored inputs (`ref/MODEL/input_*.npy` and meta.json, or
meta.json beside the model): outputs are compared, then both take turns. Ends
with the geometric mean of the ratios and the models that are slower than with
ONNX Runtime.

    python3 bench/zoo.py --tenon build/release/tenon testdata/models
    python3 bench/zoo.py testdata/models --only yolox --threads 1
"""

import argparse
import glob
import json
import os
import shutil
import sys
import tempfile

from peerlib import env, report, sides


def inputs_of(folder):
    """Inputs as a meta.json of the folder lists them, by name; None where
    one is not an array of numbers."""
    with open(os.path.join(folder, "meta.json")) as f:
        meta = json.load(f)
    found = {}
    for i, x in enumerate(meta.get("inputs", [])):
        name = x.get("name") if isinstance(x, dict) else x
        file = x.get("file") if isinstance(x, dict) else None
        path = os.path.join(folder, file or f"input_{name}.npy")
        if not os.path.exists(path):
            path = os.path.join(folder, f"input_{i}.npy")
        packed = isinstance(x, dict) and x.get("packed")
        if packed or not path.endswith(".npy") or not os.path.exists(path):
            return None
        found[name] = path
    return found


def cases(folder):
    """(name, path, inputs) of every model of the folder, in order."""
    found = []
    for here, _, files in sorted(os.walk(folder)):
        if "ref" in os.path.relpath(here, folder).split(os.sep):
            continue
        for file in sorted(f for f in files if f.endswith(".onnx")):
            path = os.path.join(here, file)
            name = os.path.relpath(path, folder)[:-len(".onnx")]
            family, _, rest = name.partition(os.sep)
            flat = rest.replace(os.sep, "__")
            ref = os.path.join(folder, family, "ref")
            real = glob.glob(os.path.join(glob.escape(ref),
                                          f"real__{glob.escape(flat)}__*"))
            where = next((w for w in [os.path.join(ref, flat), *sorted(real),
                                      here]
                          if os.path.exists(os.path.join(w, "meta.json"))),
                         None)
            found.append((name, path, where and inputs_of(where)))
    return found


def measure(args, ours, peer, case, threads, scratch):
    """The figures of one model; raises sides.Wrong where there are none."""
    from peerlib import outputs
    name, path, inputs = case
    peer.load(path, inputs, threads)
    want = peer.outputs(os.path.join(scratch, "peer"))
    ours.load(path, inputs, threads)
    try:
        got = ours.outputs(os.path.join(scratch, "tenon"))
        worst, wrong = outputs.compare(got, want, args.tolerance)
        times = sides.interleave([ours, peer], args.seconds, args.rounds)
    except sides.Wrong as e:
        raise sides.Wrong(f"Tenon: {e}") from None
    if wrong:
        raise sides.Wrong(f"Tenon: {wrong}")
    return report.Line(name, threads, 1, times, {"tenon": worst}, 0, "fp32",
                       os.getloadavg()[0])


def floor(peer, scratch, seconds):
    """Milliseconds that a graph of nothing takes through the peer's Python."""
    import numpy as np
    from onnx import TensorProto, helper, save
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1])
            for n in "xy"]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])],
                              "nothing", ends[:1], ends[1:])
    path = os.path.join(scratch, "nothing.onnx")
    save(helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 17)]), path)
    np.save(os.path.join(scratch, "x.npy"), np.ones(1, np.float32))
    peer.load(path, {"x": os.path.join(scratch, "x.npy")}, 1)
    return peer.time(seconds)["min_ms"]


def tables(lines, threads, nothing):
    """A line per model, both numbers of threads in it; then the sums."""
    models = {}
    for x in lines:
        models.setdefault(x.model, {})[x.threads] = x
    head = ["model"]
    for n in threads:
        head += [f"Tenon ms, {n} thread(s)", "ONNX Runtime ms", "ratio",
                 "of medians"]
    rows = []
    for name, of in models.items():
        row = [name]
        for n in threads:
            x = of.get(n)
            row += ["-"] * 4 if x is None else [
                report.ms(x.least["tenon"]), report.ms(x.least[x.peer]),
                f"**{x.ratio(x.least):.2f}**", f"{x.ratio(x.middle):.2f}"]
        rows.append(row)
    report.table(head, rows)
    print("\nThe least time that ONNX Runtime takes for a graph of one "
          f"negated number, called from\nPython: {1e3 * nothing:.1f} µs. "
          "*Beyond it* are models that take ONNX Runtime ten times as long.\n")
    for n in threads:
        part = [x for x in lines if x.threads == n]
        large = [x for x in part if x.least[x.peer] > 10 * nothing]
        slow = sorted((x.ratio(x.least), x.model) for x in part
                      if x.ratio(x.least) < 1)
        print(f"- {n} thread(s): geometric mean of {len(part)} models "
              f"{report.geometric([x.ratio(x.least) for x in part]):.2f}"
              f" (medians "
              f"{report.geometric([x.ratio(x.middle) for x in part]):.2f})"
              + (f", beyond it {len(large)}: "
                 f"{report.geometric([x.ratio(x.least) for x in large]):.2f}"
                 if large else "")
              + f"; slower {len(slow)}: "
              + (", ".join(f"{m} {r:.2f}" for r, m in slow) or "none"))


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("folder", nargs="?", help="default: $TENON_TESTDATA/models")
    p.add_argument("--tenon", default="build/release/tenon",
                   help="the command")
    p.add_argument("--env", metavar="DIR", default="build/peers-venv",
                   help="the environment with the peer; made when missing")
    p.add_argument("--only", metavar="A,B", help="models with this in the name")
    p.add_argument("--threads", default="1,2", help="default: 1,2")
    p.add_argument("--seconds", type=float, default=0.1,
                   help="for each of the interleaved runs (default: 0.1)")
    p.add_argument("--rounds", type=int, default=3,
                   help="A, B per model (default: 3)")
    p.add_argument("--tolerance", type=float, default=1e-3,
                   help="of the output's size (default: 1e-3)")
    p.add_argument("--isa", help="newest bundle for Tenon")
    args = p.parse_args()
    if not args.folder and os.environ.get("TENON_TESTDATA"):
        args.folder = os.path.join(os.environ["TENON_TESTDATA"], "models")
    if not args.folder or not os.path.isdir(args.folder):
        sys.exit("zoo.py: say the folder of models, or set TENON_TESTDATA")
    args.tenon = os.path.abspath(shutil.which(args.tenon) or args.tenon)
    return args


def main():
    args = arguments()
    if env.enter(args.env, ["onnxruntime"]):
        sys.exit("zoo.py: pip cannot get onnxruntime")
    ours, peer = sides.Tenon(args.tenon, args.isa), sides.Peer("onnxruntime")
    threads = [int(n) for n in args.threads.split(",")]
    print("# Tenon and ONNX Runtime over a zoo of models\n")
    report.heading(args, ours, [peer], {}, {}, os.getloadavg()[0])
    lines, left = [], []
    with tempfile.TemporaryDirectory() as scratch:
        nothing = floor(peer, scratch, 0.2)
        for case in cases(args.folder):
            if args.only and not any(o in case[0]
                                     for o in args.only.split(",")):
                continue
            if case[2] is None:
                left.append([case[0], "no stored input of numbers alone"])
                continue
            for n in threads:
                try:
                    lines.append(measure(args, ours, peer, case, n, scratch))
                    report.progress(f"{case[0]}, threads {n}", lines[-1], {})
                except sides.Wrong as e:
                    left.append([case[0], str(e).replace("|", "/")])
                    break
    peer.close()
    tables(lines, threads, nothing)
    report.noise(lines)
    if left:
        print("\nLeft out:")
        report.table(["model", "why"], left)


if __name__ == "__main__":
    main()
