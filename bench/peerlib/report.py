# SPDX-License-Identifier: Apache-2.0
"""report.py - what was measured, as Markdown."""

import math
import os
import platform
import statistics
import sys
import time

FLAGS = ["avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni",
         "avx512_bf16", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm",
         "bf16", "sve", "sve2"]


class Line:
    """The figures of one model with one batch and number of threads."""

    def __init__(self, model, threads, batch, times, differences, flops, kind,
                 load):
        self.model, self.threads, self.batch = model, threads, batch
        self.differences, self.flops, self.kind = differences, flops, kind
        self.load = load
        self.least = {k: min(t["min_ms"] for t in v)
                      for k, v in times.items()}
        self.middle = {k: statistics.median(t["p50_ms"] for t in v)
                       for k, v in times.items()}
        self.memory = {k: max(t["peak_rss_bytes"] for t in v)
                       for k, v in times.items()}
        self.opening = {k: min(t["load_ms"] for t in v)
                        for k, v in times.items()}

    @property
    def peer(self):
        """The fastest by minima; None without one."""
        return min((k for k in self.least if k != "tenon"),
                   key=self.least.get, default=None)

    def ratio(self, of):
        """Time of the fastest peer over Tenon's; None without a peer."""
        peers = [v for k, v in of.items() if k != "tenon"]
        return min(peers) / of["tenon"] if peers else None

    def percent(self, side, peak):
        """Of the peak of as many threads; None where it means nothing."""
        one = peak.get(self.kind, 0.0)
        if not self.flops or not one or side not in self.least:
            return None
        return 100 * self.flops / (self.least[side] * 1e6) / \
            (one * self.threads)


def ms(value):
    if value is None:
        return "-"
    digits = 1 if value >= 10 else 3 if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def mib(value):
    if value is None:
        return "-"
    return f"{value / 2**20:.0f}" if value >= 2**20 else \
        f"{value / 2**20:.1f}"


def percent(value):
    return "-" if value is None else f"{value:.0f}"


def ratio(value):
    return "-" if value is None else f"{value:.2f}"


def small(value):
    return f"{value:.0e}"


def geometric(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def table(head, rows):
    print("\n| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def processor():
    """Its name and those of its extensions that matter."""
    cpu, flags = platform.processor() or platform.machine(), []
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
    return cpu, " ".join(k for k in FLAGS if k in flags)


def heading(args, ours, peers, lacking, peak, load):
    """What a reader needs to know about the machine."""
    cpu, flags = processor()
    isa = f"; masked to {args.isa}" if args.isa else ""
    print(f"- CPU: {cpu}; {os.cpu_count()} CPUs, this process may use "
          f"{len(os.sched_getaffinity(0))}; {flags}{isa}")
    print(f"- System: {platform.system()} {platform.release()}, "
          f"{' '.join(platform.libc_ver())}, Python "
          f"{platform.python_version()}; load average {load:.1f} before the "
          "first run")
    print(f"- {ours.version()}; "
          + "; ".join(s.version() for s in peers))
    if args.isa:
        print("- The mask holds for Tenon (--isa) and for OpenVINO's oneDNN "
              "(ONEDNN_MAX_CPU_ISA).\n  ONNX Runtime has none and uses what "
              "the CPU has.")
    if peak.get("fp32"):
        print(f"- Peak of one thread, measured: {peak['fp32']:.1f} GFLOP/s in "
              f"fp32, {peak['int8']:.1f} Gop/s in 8-bit integers")
    for module, why in lacking.items():
        print(f"- Could not be had: {module} ({why})")
    print(f"- Date: {time.strftime('%Y-%m-%d', time.gmtime())}; "
          f"{args.rounds} rounds of {args.seconds} s", flush=True)


def progress(what, line, differences):
    """One line for whoever waits."""
    same = ", ".join(f"{k} differs by {v:.0e}"
                     for k, v in differences.items())
    speed = f"; ratio {ratio(line.ratio(line.least))}" if line else ""
    print(f"  {what}: {same}{speed}", file=sys.stderr, flush=True)


def _all(f, names):
    return " / ".join(f(n) for n in names)


def tables(lines, peers, peak):
    """The table, and what it comes to."""
    names = ["tenon"] + [s.name for s in peers]
    titles = " / ".join(["Tenon"] + [s.title for s in peers])
    print("\n*min* and *median* are milliseconds of one run: "
          f"{titles}.\n*Ratio* is the fastest peer's time over Tenon's, above "
          "1 Tenon is faster: by minima,\nby medians. *% peak*: operations of "
          "the graph's products and convolutions in the\nleast time, of the "
          "peak of as many threads (a fast algorithm may exceed it).\n*MiB*: "
          "peak resident memory, of the whole process for Tenon, for peers "
          "without what\nPython and its modules had taken. *Difference* from the "
          "first peer's\noutputs, relative to the largest: "
          f"{' / '.join(['Tenon'] + [s.title for s in peers[1:]])}.")
    table(["model", "threads", "batch", "min", "median", "ratio",
           "% peak", "load ms", "MiB", "difference"],
          [[x.model, str(x.threads), str(x.batch),
            _all(lambda n: ms(x.least.get(n)), names),
            _all(lambda n: ms(x.middle.get(n)), names),
            f"**{ratio(x.ratio(x.least))}** {ratio(x.ratio(x.middle))}",
            _all(lambda n: percent(x.percent(n, peak)), names),
            _all(lambda n: ms(x.opening.get(n)), names),
            _all(lambda n: mib(x.memory.get(n)), names),
            _all(lambda n: small(x.differences.get(n)), x.differences)]
           for x in lines])
    summary(lines)


def summary(lines):
    """Geometric means, losses, and how noisy the machine was."""
    judged = [x for x in lines if x.ratio(x.least) is not None]
    if judged:
        least = [x.ratio(x.least) for x in judged]
        middle = [x.ratio(x.middle) for x in judged]
        print(f"\nGeometric mean of the ratios over {len(judged)} lines: "
              f"{geometric(least):.2f} (medians {geometric(middle):.2f}); "
              f"Tenon is slower in {sum(r < 1 for r in least)} "
              f"({sum(r < 1 for r in middle)}).")
        groups = {}
        for x in judged:
            groups.setdefault((x.threads, x.batch), []).append(x)
        for (threads, batch), part in sorted(groups.items()):
            slower = [x.model for x in part if x.ratio(x.least) < 1]
            print(f"- threads {threads}, batch {batch}: "
                  f"{geometric([x.ratio(x.least) for x in part]):.2f}; slower:"
                  f" {', '.join(slower) or 'none'}")
    noise(lines)


def noise(lines):
    """How far from still the machine was."""
    above = [x.middle[k] / x.least[k] - 1 for x in lines for k in x.least]
    loads = [x.load for x in lines]
    print(f"\nNoise: half of all medians lie {100 * statistics.median(above):.0f}"
          " % or more above their minima; the load average\nwas "
          f"{min(loads):.1f} to {max(loads):.1f} while this ran (as many as "
          "there are threads would be this program alone).")
