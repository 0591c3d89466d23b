#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peers.py - Tenon, ONNX Runtime and OpenVINO side by side, as Markdown.

Makes an environment with the peers and the models (seeded, nothing but
packages is downloaded). For every model: are the outputs the same? Only then:
how long does one run take, in turns A, B, C, A, B, C, … with the same number
of threads; how much of the machine's peak is that, how long does loading take,
and how much memory?

    python3 bench/peers.py --tenon build/release/tenon
    python3 bench/peers.py --only resnet50,mlp --threads 1 --batch 1,8
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "models"))

from peerlib import env, report, sides  # noqa: E402


def peaks(args):
    """GFLOP/s of one thread in fp32 and in 8-bit integers; 0: not known."""
    kcheck = os.path.join(os.path.dirname(args.tenon), "tests/kcheck/kcheck")
    if not os.access(kcheck, os.X_OK):
        return {"fp32": 0.0, "int8": 0.0}
    r = subprocess.run(
        [kcheck, "--bench", "--peak", "--json", "--family", "gemm",
         "--kernel", "none"] + (["--isa", args.isa] if args.isa else []),
        capture_output=True, text=True)
    peak = json.loads(r.stdout)["peak"]
    return {"fp32": peak["gflops"], "int8": peak["int8_gops"]}


def load_all(everyone, path, inputs, threads):
    """Loads the model in every side; those that can, and why others cannot."""
    able, unable = [], []
    for side in everyone:
        try:
            side.load(path, inputs, threads)
            able.append(side)
        except sides.Wrong as e:
            unable.append((side, str(e)))
    return able, unable


def agreeing(able, unable, scratch, name):
    """Those sides whose outputs are the first peer's, and the differences."""
    from peerlib import outputs
    files, good, differences = {}, [], {}
    for side in able:
        try:
            files[side.name] = side.outputs(os.path.join(scratch, side.name))
        except sides.Wrong as e:
            unable.append((side, str(e)))
    judge = next((s for s in able if s.name != "tenon" and s.name in files),
                 None)
    for side in able:
        if side.name not in files:
            continue
        wrong = None
        if judge is not None and side is not judge:
            # OpenVINO rounds 8-bit layers at other places, which an untrained
            # network makes more of with every layer: timed, and shown.
            rough = "int8" in name and side.name == "openvino"
            differences[side.name], wrong = outputs.compare(
                files[side.name], files[judge.name],
                math.inf if rough else outputs.TOLERANCE)
        if wrong:
            unable.append((side, wrong))
        else:
            good.append(side)
    return good, differences


def measure(args, everyone, name, batch, threads, scratch):
    """One line of the table: (line or None, [(side, why it is not in it)])."""
    import make_models
    from peerlib import flops, outputs
    path = make_models.make(name, args.models)
    feed = make_models.example_inputs(name, batch)
    inputs = outputs.save_inputs(feed, scratch)
    able, unable = load_all(everyone, path, inputs, threads)
    able, differences = agreeing(able, unable, scratch, name)
    if args.check or not any(s.name == "tenon" for s in able):
        return None, unable, differences
    try:
        times = sides.interleave(able, args.seconds, args.rounds)
    except sides.Wrong as e:
        return None, unable + [(able[0], str(e))], differences
    line = report.Line(name, threads, batch, times, differences,
                       flops.count(path, feed),
                       "int8" if "int8" in name else "fp32",
                       os.getloadavg()[0])
    return line, unable, differences


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--tenon", default="build/release/tenon",
                   help="the command")
    p.add_argument("--env", metavar="DIR", default="build/peers-venv",
                   help="the environment with the peers; made when missing")
    p.add_argument("--models", metavar="DIR", default="build/bench-models",
                   help="where the models are, or are made")
    p.add_argument("--only", metavar="A,B", help="these models and no others")
    p.add_argument("--threads", default="1,2", help="default: 1,2")
    p.add_argument("--batch", default="1,8", help="default: 1,8")
    p.add_argument("--seconds", type=float, default=1.0,
                   help="for each of the interleaved runs (default: 1)")
    p.add_argument("--rounds", type=int, default=3,
                   help="A, B, C per line of the table (default: 3)")
    p.add_argument("--isa", help="newest bundle for Tenon (avx2, avx512, …) "
                   "and for\nOpenVINO's oneDNN; ONNX Runtime has no such mask")
    p.add_argument("--peers", default=",".join(env.PEERS),
                   help="default: onnxruntime,openvino")
    p.add_argument("--check", action="store_true",
                   help="compare the outputs and time nothing")
    args = p.parse_args()
    args.tenon = os.path.abspath(shutil.which(args.tenon) or args.tenon)
    if not os.access(args.tenon, os.X_OK):
        sys.exit("peers.py: no such command; build it, or say --tenon PATH")
    if args.isa and args.isa not in sides.ONEDNN:
        sys.exit(f"peers.py: --isa is one of {', '.join(sides.ONEDNN)}")
    return args


def main():
    args = arguments()
    lacking = env.enter(args.env, args.peers.split(","))
    import make_models
    ours = sides.Tenon(args.tenon, args.isa)
    peers = [sides.Peer(name, args.isa) for name in args.peers.split(",")
             if name not in lacking]
    load = [os.getloadavg()[0]]
    peak = {} if args.check else peaks(args)
    print("# " + ", ".join(s.title for s in [ours, *peers]) + "\n")
    report.heading(args, ours, peers, lacking, peak, load[0])
    lines, missing = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name in make_models.chosen(args.only):
            for batch in map(int, args.batch.split(",")):
                for threads in map(int, args.threads.split(",")):
                    # Fresh processes, so that memory is this line's alone.
                    for side in peers:
                        side.close()
                    line, unable, differences = measure(
                        args, [ours, *peers], name, batch, threads, scratch)
                    what = f"{name}, batch {batch}, threads {threads}"
                    missing += [[what, s.title, why.replace("|", "/")]
                                for s, why in unable]
                    if line:
                        lines.append(line)
                    if line or args.check:
                        report.progress(what, line, differences)
    for side in peers:
        side.close()
    if lines:
        report.tables(lines, peers, peak)
    if missing:
        print("\nNot compared:")
        report.table(["line", "side", "why"], missing)
    sys.exit(any(row[1] == ours.title for row in missing))


if __name__ == "__main__":
    main()
