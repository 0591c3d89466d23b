#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""peers.py - Tenon and ONNX Runtime side by side, as a Markdown table.

For every model: are the outputs the same? Only then: how long does one run
take, interleaved A/B in fresh processes with the same number of threads; how
long does loading take, and how much memory?

    python bench/peers.py --tenon build/tenon
    python bench/peers.py --only resnet50,mlp --threads 1 --seconds 2
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "models"))

PIP = "python3 -m venv .venv && .venv/bin/pip install numpy onnx onnxruntime"


def rss_peak():
    """Peak resident memory of this process, in bytes."""
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def worker(model, inputs, threads, seconds):
    """Times ONNX Runtime alone in this process and prints JSON."""
    import numpy as np
    import onnxruntime as ort
    feed = {k: np.load(v) for k, v in inputs.items()}
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    before = rss_peak()
    start = time.perf_counter()
    session = ort.InferenceSession(model, options,
                                   providers=["CPUExecutionProvider"])
    load = time.perf_counter() - start
    # Bound inputs and outputs: no copies, and the least of Python's overhead.
    binding = session.io_binding()
    for name, value in feed.items():
        binding.bind_cpu_input(name, value)
    for out in session.get_outputs():
        binding.bind_output(out.name, "cpu")
    clock, run = time.perf_counter, session.run_with_iobinding
    end = clock() + seconds / 3
    run(binding)
    while clock() < end:
        run(binding)
    times = []
    end = clock() + seconds
    while clock() < end or len(times) < 3:
        a = clock()
        run(binding)
        times.append(1e3 * (clock() - a))
    print(json.dumps({"load_ms": 1e3 * load, "min_ms": min(times),
                      "p50_ms": statistics.median(times), "runs": len(times),
                      "peak_rss_bytes": rss_peak() - before}))


def call(command):
    """Runs a command that prints JSON; returns it, or a line of complaint."""
    try:
        r = subprocess.run(command, capture_output=True, text=True,
                           timeout=600)
    except subprocess.TimeoutExpired:
        return "no end after 600 s"
    if r.returncode:
        lines = (r.stderr.strip() or r.stdout.strip()).splitlines() or [""]
        return f"exit {r.returncode}: {lines[0]}"
    try:
        return json.loads(r.stdout)
    except ValueError:
        return "printed no JSON"


def compare(tenon, model, feed, files, scratch):
    """Largest difference from ONNX Runtime, relative to the output's size."""
    import numpy as np
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options,
                                   providers=["CPUExecutionProvider"])
    want = session.run(None, feed)
    names = [o.name for o in session.get_outputs()]
    out = os.path.join(scratch, "out")
    shutil.rmtree(out, ignore_errors=True)
    got = call([tenon, "run", model, *files, "-o", out, "--json"])
    if isinstance(got, str):
        return None, got
    where = {o["name"]: o.get("file") for o in got["outputs"]}
    worst = 0.0
    for name, w in zip(names, want):
        if not where.get(name):
            return None, f"output {name} is missing"
        path = where[name]
        if not os.path.exists(path):
            path = os.path.join(out, path)
        g = np.load(path)
        if g.shape != w.shape or g.dtype != w.dtype:
            return None, (f"output {name} is {g.dtype}{list(g.shape)}, "
                          f"not {w.dtype}{list(w.shape)}")
        if w.dtype.kind in "iub":
            if not np.array_equal(g, w):
                return None, f"output {name}: integers differ"
            continue
        if not np.isfinite(g).all():
            return None, f"output {name} is not finite"
        size = float(np.abs(w).max()) or 1.0
        worst = max(worst, float(np.abs(g - w).max()) / size)
    if worst > 1e-3:
        return worst, f"differs by {worst:.1e} of the output's size"
    return worst, None


def machine(tenon):
    """What a reader needs to know about the machine, as a list."""
    import numpy as np
    import onnxruntime as ort
    cpu, flags = platform.processor() or platform.machine(), ""
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Model"):
                    cpu = value.strip()
                if key.strip() in ("flags", "Features"):
                    flags = value.split()
    except OSError:
        pass
    known = ["avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni",
             "avx512_bf16", "amx_int8", "amx_bf16", "asimd", "asimddp",
             "i8mm", "bf16", "sve", "sve2"]
    version = subprocess.run([tenon, "version"], capture_output=True,
                             text=True).stdout.strip().splitlines()
    return [
        f"CPU: {cpu}; {os.cpu_count()} CPUs, this process may use "
        f"{len(os.sched_getaffinity(0))}",
        f"ISA: {' '.join(k for k in known if k in flags)}",
        f"System: {platform.system()} {platform.release()}, "
        f"{platform.libc_ver()[0]} {platform.libc_ver()[1]}; load average "
        f"{os.getloadavg()[0]:.1f} before the first run",
        f"Tenon: {'; '.join(version)}",
        f"ONNX Runtime {ort.__version__}, NumPy {np.__version__}, "
        f"Python {platform.python_version()}",
        f"Date: {time.strftime('%Y-%m-%d', time.gmtime())}",
    ]


def ms(value):
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def mib(value):
    return f"{value / 2**20:.0f}" if value >= 2**20 else \
        f"{value / 2**20:.1f}"


def table(head, rows):
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def measure(args, name, path, feed, scratch):
    """One model: compared, then timed. Returns table rows and a verdict."""
    files, inputs = [], {}
    for key, value in feed.items():
        inputs[key] = os.path.join(scratch, key + ".npy")
        import numpy as np
        np.save(inputs[key], value)
        files.append(f"{key}={inputs[key]}")
    worst, wrong = compare(args.tenon, path, feed, files, scratch)
    if wrong:
        return [], [], wrong
    speed, cost = [], []
    if args.check:
        print(f"- {name}: the same, within {worst:.0e} of the output's size",
              flush=True)
        return speed, cost, None
    for threads in args.threads:
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(call([
                args.tenon, "bench", path, *files, "--threads", str(threads),
                "--seconds", str(args.seconds), "--json"]))
            theirs.append(call([
                sys.executable, os.path.abspath(__file__), "--worker",
                json.dumps([path, inputs, threads, args.seconds])]))
            for r in (ours[-1], theirs[-1]):
                if isinstance(r, str):
                    return speed, cost, f"{threads} threads: {r}"

        def least(runs, key):
            return min(r[key] for r in runs)

        def middle(runs, key):
            return statistics.median(r[key] for r in runs)

        a, b = least(ours, "min_ms"), least(theirs, "min_ms")
        c, d = middle(ours, "p50_ms"), middle(theirs, "p50_ms")
        speed.append([name, str(threads), ms(a), ms(b), f"{b / a:.2f}",
                      ms(c), ms(d), f"{d / c:.2f}", f"{worst:.0e}"])
        if threads == args.threads[0]:
            cost.append([name, mib(os.path.getsize(path)),
                         ms(least(ours, "load_ms")),
                         ms(least(theirs, "load_ms")),
                         mib(least(ours, "peak_rss_bytes")),
                         mib(least(theirs, "peak_rss_bytes"))])
    return speed, cost, None


def report(args, speed, cost):
    """The tables of what was timed."""
    print("\nTime of one run in milliseconds. *Ratio* is ONNX Runtime's time "
          "over Tenon's:\nabove 1, Tenon is faster. *Difference* is the "
          "largest between their outputs,\nrelative to the largest output.")
    table(["model", "threads", "Tenon min", "ORT min", "ratio",
           "Tenon median", "ORT median", "ratio", "difference"], speed)
    print(f"\nLoading and memory with {args.threads[0]} thread(s). Memory is "
          "the peak of resident memory: of the\nwhole process for Tenon; for "
          "ONNX Runtime without what Python and its modules\nhad taken before "
          "the session was made.")
    table(["model", "file MiB", "Tenon load ms", "ORT load ms",
           "Tenon peak MiB", "ORT peak MiB"], cost)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--tenon", default="build/tenon", help="the command")
    p.add_argument("--models", metavar="DIR", default="build/bench-models",
                   help="where the models are, or are made")
    p.add_argument("--only", metavar="A,B", help="these models and no others")
    p.add_argument("--threads", default="1,2", help="default: 1,2")
    p.add_argument("--batch", type=int, default=1, help="default: 1")
    p.add_argument("--seconds", type=float, default=1.0,
                   help="for each of the interleaved runs (default: 1)")
    p.add_argument("--rounds", type=int, default=3,
                   help="A/B pairs per line of the table (default: 3)")
    p.add_argument("--check", action="store_true",
                   help="compare the outputs and time nothing")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    args = p.parse_args()
    try:
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as e:
        sys.exit(f"peers.py needs the module {e.name}. This is enough:\n"
                 f"    {PIP}\n    .venv/bin/python bench/peers.py")
    if args.worker:
        worker(*json.loads(args.worker))
        return
    import make_models
    args.tenon = shutil.which(args.tenon) or args.tenon
    if not os.access(args.tenon, os.X_OK):
        sys.exit(f"peers.py: no command '{args.tenon}'. Build it, or say "
                 "--tenon PATH.")
    args.threads = [int(t) for t in args.threads.split(",")]
    names = make_models.chosen(args.only)
    print(f"# Tenon and ONNX Runtime, batch {args.batch}\n")
    if not args.check:
        for line in machine(args.tenon):
            print("- " + line)
    speed, cost, failed = [], [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            if sys.stderr.isatty():
                print(f"  {name} ...", file=sys.stderr)
            path = make_models.make(name, args.models)
            feed = make_models.example_inputs(name, args.batch)
            a, b, wrong = measure(args, name, path, feed, scratch)
            speed += a
            cost += b
            if wrong:
                failed.append([name, wrong.replace("|", "/")])
    if not args.check:
        report(args, speed, cost)
    if failed:
        print("\nNot compared:")
        table(["model", "why"], failed)
        sys.exit(1)


if __name__ == "__main__":
    main()
