#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaling.py - whether the time of a dataset grows as its size does

    scaling.py TENON [--size N] [--only WORD]... [--list]

A file that someone else made may have very many of one thing: classes, fields
of the dataset, attributes of one object, images of one name. For each of these
a COCO file is written with N and with 4N of them, converted to every format,
read again and converted back. A step whose time of the processor grows more
than tenfold, and beyond two seconds, is looked for again and again: that is a
failure. Times below that are noise and never one. Ends with "N passed, N
failed"; needs only the standard library.
"""
import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile

GROWTH, SECONDS = 10.0, 2.0  # both have to be exceeded
MOST_SECONDS = 120           # of one step


def dataset(images, categories, annotations, **fields):
    return dict(fields, images=images, annotations=annotations,
                categories=categories)


def image(i, name=None, **more):
    return dict(more, id=i, width=640, height=480,
                file_name=name or "%06d.jpg" % i)


def category(i, name=None, **more):
    return dict(more, id=i, name=name or "class %05d" % (i * 7919 % 100003))


def ann(i, img=1, cls=1, **more):
    x, y = i * 7 % 600, i * 11 % 440
    return dict(dict(id=i, image_id=img, category_id=cls, bbox=[x, y, 20, 10],
                     area=200, iscrowd=0), **more)


def one(annotation, cls=None, img=None, **fields):
    return dataset([img or image(1)], [cls or category(1)], [annotation], **fields)


def many(n):
    """Names that are not in order."""
    return ["k%06d" % (i * 7919 % 1000003) for i in range(n)]


def outline(k):
    x, y = k % 600, k // 600 % 400
    return [x, y, x + 9.5, y, x + 9.5, y + 7.25, x, y + 7]


KINDS = {
    "classes": lambda n: dataset(
        [image(1)], [category(i) for i in range(1, n + 1)],
        [ann(i, cls=i) for i in range(1, n + 1)]),
    "classes of one name": lambda n: dataset(
        [image(1)], [category(i, "same") for i in range(1, n + 1)],
        [ann(i, cls=i) for i in range(1, n + 1)]),
    "classes and images": lambda n: dataset(
        [image(i) for i in range(1, n + 1)],
        [category(i) for i in range(1, n + 1)],
        [ann(i, i, i) for i in range(1, n + 1)]),
    "parents in a chain": lambda n: dataset(
        [image(1)],
        [category(i, "c%d" % i, supercategory="c%d" % (i % n + 1))
         for i in range(1, n + 1)], [ann(i, cls=i) for i in range(1, n + 1)]),
    "parents": lambda n: dataset(
        [image(1)], [category(i, supercategory="p%d" % (n - i))
                     for i in range(1, n + 1)], [ann(1)]),
    "images": lambda n: dataset(
        [image(i) for i in range(1, n + 1)], [category(1)],
        [ann(i, i) for i in range(1, n + 1)]),
    "images of one name": lambda n: dataset(
        [image(i, "a.jpg") for i in range(1, n + 1)], [category(1)],
        [ann(i, i) for i in range(1, n + 1)]),
    "images in folders": lambda n: dataset(
        [image(i, "%d/a.jpg" % i) for i in range(1, n + 1)], [category(1)],
        [ann(i, i) for i in range(1, n + 1)]),
    "annotations of one image": lambda n: dataset(
        [image(1)], [category(1)], [ann(i) for i in range(1, n + 1)]),
    "annotations of no image": lambda n: dataset(
        [image(1)], [category(1)], [ann(i, i + 9) for i in range(1, n + 1)]),
    "annotations alike": lambda n: dataset(
        [image(1)], [category(1)],
        [dict(ann(1), id=i) for i in range(1, n + 1)]),
    "annotations of one id": lambda n: dataset(
        [image(1)], [category(1)],
        [dict(ann(i), id=1) for i in range(1, n + 1)]),
    "fields of the dataset": lambda n: one(
        ann(1), **{k: i for i, k in enumerate(many(n))}),
    "licenses": lambda n: one(ann(1), licenses=[
        {"id": i, "name": "L%d" % i, "url": ""} for i in range(n)]),
    "fields of info": lambda n: one(
        ann(1), info={k: i for i, k in enumerate(many(n))}),
    "attributes of one object": lambda n: one(
        ann(1, attributes={k: i for i, k in enumerate(many(n))})),
    "attributes of objects": lambda n: dataset(
        [image(1)], [category(1)],
        [ann(i, attributes={k: i}) for i, k in enumerate(many(n))]),
    "members of one object": lambda n: one(
        ann(1, **{k: i for i, k in enumerate(many(n))})),
    "members of objects": lambda n: dataset(
        [image(1)], [category(1)],
        [ann(i, **{k: i}) for i, k in enumerate(many(n))]),
    "members of one image": lambda n: one(
        ann(1), img=image(1, **{k: i for i, k in enumerate(many(n))})),
    "members of images": lambda n: dataset(
        [image(i, **{k: i}) for i, k in enumerate(many(n), 1)],
        [category(1)], [ann(1)]),
    "members of one class": lambda n: one(
        ann(1), cls=category(1, **{k: i for i, k in enumerate(many(n))})),
    "members of classes": lambda n: dataset(
        [image(1)], [category(i, **{k: i}) for i, k in enumerate(many(n), 1)],
        [ann(1)]),
    "named points": lambda n: one(
        ann(1, keypoints=[1, 2, 2] * n, num_keypoints=n),
        cls=category(1, keypoints=many(n), skeleton=[])),
    "classes with points": lambda n: dataset(
        [image(1)], [category(i, keypoints=["a", "b%d" % i], skeleton=[[1, 2]])
                     for i in range(1, n + 1)],
        [ann(i, cls=i, keypoints=[1, 2, 2, 3, 4, 2], num_keypoints=2)
         for i in range(1, n + 1)]),
    "parts of an outline": lambda n: one(
        ann(1, segmentation=[outline(k) for k in range(n)])),
    "points of an outline": lambda n: one(ann(1, segmentation=[
        [v for k in range(n) for v in (k % 640, k * k % 480)]])),
    "runs of a mask": lambda n: one(ann(1, segmentation={
        "counts": [1] * min(n, 307200) + [307200 - min(n, 307200)],
        "size": [480, 640]})),
    "captions": lambda n: dataset(
        [image(1)], [], [{"id": i, "image_id": 1, "caption": "word %d" % i}
                         for i in range(1, n + 1)]),
    "groups": lambda n: dataset(
        [image(1)], [category(1)],
        [ann(i, group=i // 2 + 1, attributes={"track_id": i})
         for i in range(1, n + 1)]),
    "values of one attribute": lambda n: dataset(
        [image(1)], [category(1)],
        [ann(i, attributes={"color": k}) for i, k in enumerate(many(n), 1)]),
}


def run(*args):
    """(seconds of the processor, None or why it was refused)"""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    with tempfile.TemporaryFile() as said:
        p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=said,
                             preexec_fn=limit)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = status
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    why = None
    if status:
        why = "signal %d" % (status & 127) if status & 127 else text.strip()[-200:]
    return used.ru_utime, why


def steps(tenon, source, folder, target):
    """Seconds of each step with one file; a refusal ends it."""
    out = os.path.join(folder, "out")
    back = os.path.join(folder, "back.json")
    out += {"csv": ".csv", "coco": ".json"}.get(target, "")
    rows = (
        ("write", ("convert", source, out, "--to", target, "--allow-loss", "all",
                   "--no-residue", "--no-verify")),
        ("write, verify", ("convert", source, out, "--overwrite", "--to", target,
                           "--allow-loss", "all")),
        ("read", ("stats", out, "--from", target)),
        ("back", ("convert", out, back, "--from", target, "--to", "coco",
                  "--allow-loss", "all")),
    )
    times = []
    for name, args in rows:
        seconds, why = run(tenon, *args)
        times.append((name, seconds, why))
        if why:
            break
    for path in (out, back, out + ".residue.ndjson", back + ".residue.ndjson"):
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)
    return times


def measure(tenon, make, size, target):
    times = []
    for n in (size, 4 * size):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "source.json")
            with open(source, "w", encoding="utf-8") as f:
                json.dump(make(n), f)
            times.append(steps(tenon, source, folder, target))
    return times


def failures(times):
    for (name, few, _), (_, many_, why) in zip(*times):
        if why and why.startswith("signal"):
            yield "%s: %s" % (name, why)
        elif many_ > SECONDS and many_ > GROWTH * few:
            yield "%s: %.2f s, then %.2f s" % (name, few, many_)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("tenon")
    p.add_argument("--size", type=int, default=5000)
    p.add_argument("--only", action="append", default=[], metavar="WORD",
                   help="kinds and formats that have the word")
    p.add_argument("--to", action="append", default=[], metavar="FORMAT")
    p.add_argument("--list", action="store_true", help="print every time")
    args = p.parse_args()
    formats = args.to or subprocess.run(
        [args.tenon, "list", "formats"], capture_output=True, text=True,
        check=True).stdout.split()
    passed = failed = 0
    for kind, make in KINDS.items():
        if args.only and not any(w in kind for w in args.only):
            continue
        for target in formats:
            times = measure(args.tenon, make, args.size, target)
            found = list(failures(times))
            if found:  # once more: another program may have had the machine
                times = measure(args.tenon, make, args.size, target)
                found = list(failures(times))
            failed += bool(found)
            passed += not found
            for why in found:
                print("FAILED %s to %s, %s" % (kind, target, why), flush=True)
            if args.list:
                print("%-26s %-14s %s" % (kind, target, "; ".join(
                    "%s %.2f>%.2f%s" % (a[0], a[1], b[1], " (%s)" % b[2] if b[2] else "")
                    for a, b in zip(*times))), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
