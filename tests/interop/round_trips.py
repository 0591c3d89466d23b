#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""round_trips.py - from every format to every other and back

    round_trips.py TENON [FORMAT...]

A small dataset is written in format A; from that to B, and from B, with its
residue, to A again. Both folders of A must say the same: the same files, the
same words, numbers within the printing of the two formats. What B cannot hold
has to come back by the residue. With FORMATs, only pairs that have one of them.
Ends with "N passed, N failed"; needs only the standard library.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

import source

TENON = sys.argv[1]
ONLY = set(sys.argv[2:])

# What there is to write in each format: a kind of source.py, and the variant.
# A format without a row is asked for boxes.
KINDS = {
    "coco": ("boxes", "shapes", "keypoints"),
    "yolo": ("boxes yolo:detect", "polygons yolo:segment", "keypoints yolo:pose",
             "boxes yolo:obb"),
    "datumaro": ("boxes", "masks", "keypoints"),
    "labelme": ("boxes", "polygons"),
    "via": ("boxes", "polygons"),
    "kitti": ("plain",),
    "cvat": ("boxes", "masks"),
    "voc": ("boxes", "masks"),
    "label-studio": ("boxes", "masks"),
    "ndjson": ("boxes", "polygons ndjson:segment", "keypoints ndjson:pose"),
    "supervisely": ("boxes", "masks"),
    "webdataset": ("boxes", "shapes"),
}
# Formats of whole images: these need one class for each.
TAGS = ("imagefolder",)
# Pairs that are refused, and the words that say why. A pair that is refused and is
# not here fails, and so does one that is here and is not refused.
SPACE = "cannot be the first word of a KITTI line"  # the class "traffic light"
REFUSALS = {(first, "kitti"): SPACE for first in (
    "coco boxes", "coco shapes", "createml boxes", "csv boxes", "cvat boxes",
    "cvat masks", "datumaro boxes", "datumaro masks", "hf-metadata boxes",
    "imagefolder tags", "label-studio boxes", "label-studio masks", "labelme boxes",
    "labelme polygons", "mot boxes", "ndjson boxes", "ndjson:segment polygons",
    "openimages boxes", "supervisely boxes", "supervisely masks", "tfrecord boxes",
    "via boxes", "via polygons", "voc boxes", "voc masks", "webdataset boxes",
    "webdataset shapes", "yolo:detect boxes", "yolo:segment polygons",
    "yolo:obb boxes")}
# Numbers may differ by what either format prints; in pixels, or parts of 1.
OFF = 2e-5
IMAGES = (".png", ".jpg", ".jpeg", ".bmp")


class Refused(Exception):
    """Tenon did not write it."""


def tenon(*args):
    r = subprocess.run([TENON, *args], capture_output=True, text=True)
    if r.returncode < 0:
        raise Refused("ended by signal %d" % -r.returncode)
    if r.returncode:
        raise Refused((r.stderr.strip() or r.stdout.strip())[-300:])
    return r.stdout


def convert(src, to, target, *options):
    tenon("convert", src, to, "--to", target, "--allow-loss", "all", *options)


def files_of(folder):
    """Label files by their path. Which images are there is said by labels; what is
    kept beside them is not the format's."""
    found = {}
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.relpath(os.path.join(where, name), folder)
            if path.endswith(IMAGES) or "residue" in name:
                continue
            if path.endswith(".tar"):
                with tarfile.open(os.path.join(where, name)) as tar:
                    for m in tar.getmembers():
                        if not m.name.endswith(IMAGES):
                            found[path + "/" + m.name] = tar.extractfile(m).read()
                continue
            if path.endswith(".tfrecord"):  # numbers in four bytes: see as_coco
                continue
            with open(os.path.join(where, name), "rb") as f:
                found[path] = f.read()
    return found


def as_coco(folder, target):
    """A folder of binary records in words."""
    convert(folder, folder + "-coco", "coco", "--from", target, "--no-residue")
    return folder + "-coco"


TOKEN = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?|[^\s\d-]+|-")


def same_text(a, b):
    """None, or where they differ."""
    x, y = TOKEN.findall(a), TOKEN.findall(b)
    for n, (p, q) in enumerate(zip(x, y)):
        if p == q:
            continue
        try:
            if abs(float(p) - float(q)) <= OFF * max(1.0, abs(float(p)) * 1e-2):
                continue
        except ValueError:
            pass
        return b"...%s... became ...%s..." % (b" ".join(x[max(0, n - 6):n + 6]),
                                              b" ".join(y[max(0, n - 6):n + 6]))
    if len(x) != len(y):
        return b"%d words became %d, the first past the end: %s" % (
            len(x), len(y), b" ".join((x + y)[min(len(x), len(y)):][:12]))
    return None


def in_order(value):
    """JSON whose images, and what says which image it is of, are by name or id: of
    these the order means nothing. That of classes does."""
    if isinstance(value, dict):
        return {k: in_order(v) for k, v in value.items()}
    if not isinstance(value, list):
        return value
    value = [in_order(v) for v in value]
    for keys in (("file_name",), ("image",), ("id", "image_id"), ("id", "annotations")):
        if value and all(isinstance(v, dict) and all(k in v for k in keys)
                         for v in value):
            return sorted(value, key=lambda v: str(v[keys[0]]))
    return value


def as_text(path, data):
    """Bytes of which only the order of images was arbitrary."""
    if path.endswith(".json"):
        return json.dumps(in_order(json.loads(data)), sort_keys=True,
                          ensure_ascii=False).encode()
    if path.endswith((".csv", ".ndjson")) or "ImageSets" in path:  # a row for each object, image
        return b"\n".join(sorted(data.splitlines()))
    return data


def compare(a, b):
    """Complaints about folder b, which should be a."""
    x, y = files_of(a), files_of(b)
    lines = ["%s is missing" % p for p in sorted(set(x) - set(y))]
    lines += ["%s is new" % p for p in sorted(set(y) - set(x))]
    for path in sorted(set(x) & set(y)):
        if x[path] == y[path]:
            continue
        why = same_text(as_text(path, x[path]), as_text(path, y[path]))
        if why:
            lines.append("%s: %s" % (path, why.decode("utf-8", "replace")))
    return lines


def name_of(kind):
    return kind.replace(" ", "-").replace(":", "-")


def write_first(top, name, kind):
    """The dataset in format `name`; its folder and what it is called."""
    parts = kind.split()
    what, target = parts[0], parts[1] if len(parts) > 1 else name
    folder = os.path.join(top, "source", what)
    to = os.path.join(top, "first", name + "-" + name_of(kind))
    if name in TAGS:
        for split in ("train", "val"):
            for n, cls in enumerate(source.CLASSES):
                for k in range(n + 1):
                    source.png(os.path.join(folder, split, cls, "%d%d.png" % (n, k)),
                               20 + n, 30 + k, n)
        convert(folder, to, target, "--from", target, "--images", "copy",
                "--no-residue")
    else:
        convert(folder, to, target, "--images", "copy", "--no-residue")
    return to, target


def trip(top, first, target, other):
    """Complaints, or why the one between is not written."""
    there = os.path.join(top, "there", "%s-%s" % (os.path.basename(first), other))
    back = os.path.join(top, "back", "%s-%s" % (os.path.basename(first), other))
    try:
        convert(first, there, other, "--from", target, "--images", "copy")
    except Refused as e:
        return str(e)
    try:
        convert(there, back, target, "--from", other, "--images", "copy")
    except Refused as e:
        return [str(e)]
    if target == "tfrecord":
        return compare(first + "-coco", as_coco(back, target))
    return compare(first, back)


def judge(found, expected):
    """Complaints about what `trip` found where a refusal with these words (None:
    none) is expected."""
    if isinstance(found, str):
        if expected and expected in found:
            return []
        return ["refused: " + found] + (["instead of: " + expected] if expected else [])
    if expected:
        return ["was refused, and is not any more: " + expected]
    return found


def main():
    names = tenon("list", "formats").split()
    passed = failed = refused = 0
    with tempfile.TemporaryDirectory() as top:
        for what in ("boxes", "polygons", "masks", "shapes", "keypoints", "plain"):
            source.make(os.path.join(top, "source", what), what)
        jobs = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for name in names:
                for kind in KINDS.get(name, ("tags",) if name in TAGS else ("boxes",)):
                    try:
                        first, target = write_first(top, name, kind)
                    except Refused as e:
                        print("FAIL %s is not written: %s" % (kind, e))
                        failed += 1
                        continue
                    if target == "tfrecord":
                        as_coco(first, target)
                    label = "%s %s" % (target, kind.split()[0])
                    jobs += [(label, other, pool.submit(trip, top, first, target, other))
                             for other in names
                             if not ONLY or name in ONLY or other in ONLY]
            for label, other, job in jobs:
                found = job.result()
                lines = judge(found, REFUSALS.get((label, other)))
                refused += isinstance(found, str)
                if lines:
                    failed += 1
                    print("FAIL %s to %s and back" % (label, other))
                    for line in lines[:4]:
                        print("     " + line)
                elif not isinstance(found, str):
                    passed += 1
            pairs = {(label, other) for label, other, job in jobs}
            for label, other in sorted(set(REFUSALS) - pairs if not ONLY else ()):
                failed += 1
                print("FAIL %s to %s: is to be refused, and is no pair" % (label, other))
    print("%d pairs refused with a reason" % refused)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
