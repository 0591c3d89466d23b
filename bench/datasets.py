#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""datasets.py - Tenon and three converters of datasets side by side, as Markdown

    bench/datasets.py [--tenon build/release/tenon] [--build build] > table.md

Makes COCO files of train2017's shape (make_coco.py: the same bytes every time)
and turns them into YOLO labels with Tenon, labelformat, Datumaro and supervision,
each peer in a Python environment of its own under the build folder (versions
pinned below). Tenon and a peer get the same file and take turns, --rounds times;
shown are the least and the median of the wall clock, and the most memory any run
held (ru_maxrss of wait4). A slow peer gets a smaller file, and the table says how
many images; --images limits all of them.

Everything is written to tmpfs where there is one, so that no disk is measured,
and runs at real-time priority where that is allowed (chrt), which is said on top.
The peers use one thread; Tenon uses all processors, and one thread in rows that
say so.
"""
import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "interop"))
import scratch  # noqa: E402
import source  # noqa: E402

FULL_IMAGES, FULL_ANNOTATIONS = 118287, 860001

LABELFORMAT = """
import sys
from pathlib import Path
from labelformat.formats.coco import COCOInstanceSegmentationInput
from labelformat.formats.yolov8 import YOLOv8InstanceSegmentationOutput
YOLOv8InstanceSegmentationOutput(Path(sys.argv[2]) / "data.yaml", "train").save(
    COCOInstanceSegmentationInput(Path(sys.argv[1])))
"""
DATUMARO = """
import logging, os, shutil, sys
logging.disable(logging.ERROR)
import datumaro
dataset = datumaro.Dataset.import_from(sys.argv[3], "coco_instances")
dataset.export(sys.argv[2], "yolo", save_media=False)
"""
SUPERVISION = """
import sys
import supervision
dataset = supervision.DetectionDataset.from_coco(
    sys.argv[3] + "/images/train", sys.argv[1])
dataset.as_yolo(annotations_directory_path=sys.argv[2] + "/labels",
                data_yaml_path=sys.argv[2] + "/data.yaml")
"""
# Name, package, program, images at most, does it need image files, what it does.
PEERS = (
    ("labelformat", "labelformat==0.1.17", LABELFORMAT, FULL_IMAGES, False,
     "outlines"),
    ("Datumaro", "datumaro==1.13.12", DATUMARO, 20000, True,
     "boxes only: its YOLO has no outlines"),
    ("supervision", "supervision==0.31.2", SUPERVISION, 50, True,
     "outlines, by way of pixels"),
)
TENON = ["--to", "yolo:segment", "--allow-loss", "all"]
PLAIN = ["--no-verify", "--no-residue"]


def first(rt):
    """A prefix that lets nothing else go first, as far as it is allowed."""
    prefix = ["chrt", "-f", "10"]
    if rt and shutil.which("chrt") and subprocess.run(
            prefix + ["true"], capture_output=True).returncode == 0:
        return prefix
    return []


def run(command, log):
    """Seconds and bytes of one run; stops the program when it fails."""
    with open(log, "wb") as f:
        start = time.perf_counter()
        p = subprocess.Popen(command, stdout=f, stderr=f)
        _, status, usage = os.wait4(p.pid, 0)
        seconds = time.perf_counter() - start
    if status:
        sys.exit("%s failed:\n%s" % (" ".join(command)[:200],
                                     open(log, errors="replace").read()[-1500:]))
    return seconds, usage.ru_maxrss * 1024


def coco(data, images):
    """The file of this many images, made once."""
    annotations = FULL_ANNOTATIONS * images // FULL_IMAGES
    path = os.path.join(data, "coco-%d.json" % images)
    if not os.path.exists(path):
        subprocess.run([sys.executable, os.path.join(HERE, "make_coco.py"),
                        path + ".part", str(images), str(annotations)], check=True)
        os.rename(path + ".part", path)
    return path, annotations


def with_images(data, path, images):
    """The folder Datumaro and supervision ask for: every image a link to one."""
    folder = os.path.join(data, "folder-%d" % images)
    target = os.path.join(folder, "annotations", "instances_train.json")
    if not os.path.exists(target):
        # As make_coco.py names them: reading them from the file would make this
        # program large, and what it starts counts its size as its own.
        names = ["%012d.jpg" % (i + 9) for i in range(images)]
        shutil.rmtree(folder, ignore_errors=True)
        source.png(os.path.join(folder, "images", "one.png"), 640, 480, 1)
        os.makedirs(os.path.join(folder, "images", "train"))
        for name in names:
            os.link(os.path.join(folder, "images", "one.png"),
                    os.path.join(folder, "images", "train", name))
        os.makedirs(os.path.dirname(target))
        shutil.copy(path, target)
    return folder


def environment(build, package):
    """The peer's Python; pip resolves the rest of what it needs."""
    name = os.path.join(build, "scratch", "bench-" + package.split("=")[0] + ".txt")
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w", encoding="ascii") as f:
        f.write(package + "\n")
    return scratch.make(build, name)


def mib(v):
    return "%.0f" % (v / 2**20)


def cells(runs):
    seconds = [r[0] for r in runs]
    return ["%.2f" % min(seconds), "%.2f" % statistics.median(seconds),
            mib(max(r[1] for r in runs))]


def row(values):
    print("| " + " | ".join(values) + " |", flush=True)


def compare(args, prefix, out, peer):
    """The peer, and Tenon with and without its checks and threads."""
    name, package, program, most, files, what = peer
    python = environment(args.build, package)
    images = min(most, args.images)
    path, annotations = coco(args.data, images)
    folder = with_images(args.data, path, images) if files else ""
    log = os.path.join(out, "log")
    commands = {
        name: [python, "-c", program, path, os.path.join(out, "peer"), folder],
        "Tenon": [args.tenon, "convert", path, os.path.join(out, "a")] + TENON,
        "Tenon, unchecked": [args.tenon, "convert", path,
                             os.path.join(out, "b")] + TENON + PLAIN,
        "Tenon, unchecked, one thread": [
            args.tenon, "convert", path, os.path.join(out, "c")] + TENON + PLAIN +
        ["--threads", "1"]}
    runs = {k: [] for k in commands}
    for _ in range(args.rounds):
        for k, command in commands.items():
            os.makedirs(os.path.join(out, "peer"), exist_ok=True)
            runs[k].append(run(prefix + command, log))
            for folder_name in ("peer", "a", "b", "c"):
                shutil.rmtree(os.path.join(out, folder_name), ignore_errors=True)
    least = {k: min(r[0] for r in v) for k, v in runs.items()}
    memory = {k: max(r[1] for r in v) for k, v in runs.items()}
    for k in commands:
        row([k if k != name else "%s (%s)" % (package.replace("==", " "), what),
             "{:,}".format(images), "{:,}".format(annotations), *cells(runs[k]),
             "" if k == name else "%.1f" % (least[name] / least[k]),
             "" if k == name else "%.2f" % (memory[k] / memory[name])])


def stats(args, prefix, out):
    path, _ = coco(args.data, args.images)
    runs = [run(prefix + [args.tenon, "stats", path], os.path.join(out, "log"))
            for _ in range(max(5, args.rounds))]
    print("\n`tenon stats` of the whole file (%.0f MB):\n" % (
        os.path.getsize(path) / 1e6))
    row(["least s", "median s", "memory MiB"])
    row(["---"] * 3)
    row(cells(runs))


def residue(args, out):
    path, _ = coco(args.data, args.images)
    to = os.path.join(out, "r")
    run([args.tenon, "convert", path, to] + TENON, os.path.join(out, "log"))
    size = os.path.getsize(os.path.join(to, "residue.ndjson"))
    shutil.rmtree(to)
    print("\nThe residue of the whole file is %.0f MB, the file %.0f MB." % (
        size / 1e6, os.path.getsize(path) / 1e6))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("--tenon", default="build/release/tenon")
    p.add_argument("--build", default="build")
    p.add_argument("--images", type=int, default=FULL_IMAGES)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--only", help="these peers, with commas")
    p.add_argument("--no-realtime", action="store_true")
    args = p.parse_args()
    args.tenon, args.build = os.path.abspath(args.tenon), os.path.abspath(args.build)
    args.data = os.path.join(args.build, "bench-data")
    os.makedirs(args.data, exist_ok=True)
    prefix = first(not args.no_realtime)
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())
    print("# Datasets: COCO to YOLO labels\n")
    print("    bench/datasets.py %s\n" % " ".join(sys.argv[1:]))
    print("- %s; every run: %s; written to %s" % (
        cpu, " ".join(prefix) or "at the usual priority", where or tempfile.gettempdir()))
    print("- %d processors; Python %s; %d rounds, in turn; load average %.1f before"
          % (len(os.sched_getaffinity(0)), platform.python_version(), args.rounds,
             os.getloadavg()[0]))
    print("- %s\n" % time.strftime("%Y-%m-%d", time.gmtime()))
    row(["", "images", "annotations", "least s", "median s", "memory MiB",
         "times faster", "of its memory"])
    row(["---"] * 8)
    with tempfile.TemporaryDirectory(dir=where) as out:
        for peer in PEERS:
            if args.only and peer[0] not in args.only.split(","):
                continue
            try:
                compare(args, prefix, out, peer)
            except scratch.Skipped as e:
                print("\n%s is not measured: %s\n" % (peer[0], e))
        stats(args, prefix, out)
        residue(args, out)
    print("\n*Tenon* counts the losses, writes, reads everything back, compares it "
          "and keeps\nwhat is lost in the residue; *unchecked* only counts and writes, "
          "as the others do.")


if __name__ == "__main__":
    main()
