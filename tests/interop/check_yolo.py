#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_yolo.py - a trainer would take all of the YOLO that Tenon writes

    check_yolo.py TENON [TESTDATA]

Writes YOLO in all five tasks from datasets made here, and from shared fixtures
where there are any, and holds the rules of yolo_rules.py against it: nothing is
dropped, and every image has as many labels as it had annotations. Ends with
"N passed, N failed"; needs only the standard library.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

import source
import yolo_rules

TENON = sys.argv[1]
TESTDATA = sys.argv[2] if len(sys.argv) > 2 else ""
results = {True: 0, False: 0}


def tell(ok, what, why=()):
    results[ok] += 1
    print("%s %s" % ("ok  " if ok else "FAIL", what))
    for line in list(why)[:10]:
        print("     " + str(line))


def tenon(*args):
    return subprocess.run([TENON, *args], capture_output=True, text=True)


def written(src, to, task, *options):
    """Converts; a line of complaint, or None."""
    r = tenon("convert", src, to, "--to", "yolo:" + task, "--allow-loss", "all",
              "--images", "copy", *options)
    return r.stderr.strip() or r.stdout.strip() if r.returncode else None


def judge(what, to, task, want):
    """`want`: labels by split and file name; None: whatever is there, from images of
    any size."""
    if task == "classify":
        complaints, counts = yolo_rules.check_classify(to, want is None)
    else:
        complaints, counts = yolo_rules.check(os.path.join(to, "data.yaml"), task,
                                              want is None)
    if not complaints and want is not None and counts != want:
        complaints = ["found    %s" % counts, "expected %s" % want]
    tell(not complaints, what, complaints)


def labels_of(docs):
    want = {}
    for split, doc in docs.items():
        n = {i["id"]: 0 for i in doc["images"]}
        for a in doc["annotations"]:
            n[a["image_id"]] += 1
        want[split] = {i["file_name"]: n[i["id"]] for i in doc["images"]}
    return want


def made(folder):
    for kind, tasks in (("boxes", "detect segment obb"), ("shapes", "segment detect"),
                        ("polygons", "segment"), ("keypoints", "pose detect")):
        src = os.path.join(folder, kind)
        docs = source.make(src, kind)
        for task in tasks.split():
            to = os.path.join(folder, "yolo", kind + "-" + task)
            why = written(src, to, task)
            if why is None:
                judge("%s as %s" % (kind, task), to, task, labels_of(docs))
            else:
                tell(False, "%s as %s" % (kind, task), [why])


def one_split(folder):
    """The trainer wants train and val whatever the dataset has."""
    src = os.path.join(folder, "boxes", "annotations", "instances_train.json")
    to = os.path.join(folder, "yolo", "one-file")
    why = written(src, to, "detect")
    doc = json.load(open(src, encoding="utf-8"))
    want = labels_of({"train": doc, "val": doc})
    if why is None:
        judge("one split alone", to, "detect", want)
    else:
        tell(False, "one split alone", [why])


def oriented(folder):
    """Turned boxes, from labels of our own; 30 degrees about their centres."""
    src = os.path.join(folder, "obb")
    want = {}
    for split, n in (("train", 3), ("val", 2)):
        want[split] = {}
        for i in range(n):
            name = "%s%d" % (split, i)
            source.png(os.path.join(src, "images", split, name + ".png"), 100, 80, i)
            lines = []
            for k in range(i):
                cx, cy, w, h, a = 50 + k, 40, 30 + 5 * k, 12, math.radians(30)
                corners = []
                for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                    x, y = sx * w / 2, sy * h / 2
                    corners += [(cx + x * math.cos(a) - y * math.sin(a)) / 100,
                                (cy + x * math.sin(a) + y * math.cos(a)) / 80]
                lines.append(" ".join(["%d" % (k % 2)] + ["%.9f" % v for v in corners]))
            label = os.path.join(src, "labels", split, name + ".txt")
            os.makedirs(os.path.dirname(label), exist_ok=True)
            with open(label, "w", encoding="ascii") as f:
                f.write("".join(line + "\n" for line in lines))
            want[split][name + ".png"] = len(lines)
    with open(os.path.join(src, "data.yaml"), "w", encoding="ascii") as f:
        f.write("train: images/train\nval: images/val\ntask: obb\n"
                "names:\n  0: plane\n  1: ship\n")
    to, via = os.path.join(folder, "yolo", "obb"), os.path.join(folder, "obb-labelme")
    why = written(src, to, "obb")
    judge("oriented boxes", to, "obb", want) if why is None else \
        tell(False, "oriented boxes", [why])
    r = tenon("convert", src, via, "--to", "labelme", "--allow-loss", "all")
    why = r.stderr if r.returncode else written(via, to + "2", "obb")
    judge("oriented boxes by LabelMe", to + "2", "obb", want) if not why else \
        tell(False, "oriented boxes by LabelMe", [why])


def classified(folder):
    src, want = os.path.join(folder, "folders"), {}
    for split in ("train", "val"):
        for n, cls in enumerate(("ant", "bee hive")):
            for i in range(2 + n):
                name = "%s/%s%d.png" % (cls, split, i)
                source.png(os.path.join(src, split, name), 20 + i, 24, n)
                want.setdefault(split, {})[name] = 1
    to = os.path.join(folder, "yolo", "classify")
    r = tenon("convert", src, to, "--from", "imagefolder", "--to", "yolo:classify",
              "--allow-loss", "all", "--images", "copy")
    judge("classification", to, "classify", want) if r.returncode == 0 else \
        tell(False, "classification", [r.stderr])


# Datasets of the test data, the task, and what else to say of them.
FIXTURES = (
    ("datumaro-assets-cvat/yolo_dataset/yolov8_detection", "detect"),
    ("datumaro-assets-cvat/yolo_dataset/yolov8_segmentation", "segment"),
    ("datumaro-assets-cvat/yolo_dataset/yolov8_oriented_boxes", "obb",
     "--from", "yolo:obb"),
    ("datumaro-assets-cvat/yolo_dataset/yolov8_pose", "pose"),
    ("datumaro-assets-cvat/coco_dataset/coco_instances", "segment"),
    ("datumaro-assets/coco_dataset/coco_person_keypoints", "pose"),
    ("bccd", "detect"),
    ("faster-coco-eval/dataset/gt_dataset.json", "segment"),
    ("datumaro-assets-cvat/yolo_dataset/yolov8_classification", "classify",
     "--from", "yolo:classify"),
)


def fixtures(folder):
    for name, task, *options in FIXTURES:
        src = os.path.join(TESTDATA, "datasets", name)
        if not TESTDATA or not os.path.exists(src):
            print("skip %s is not here" % name)
            continue
        to = os.path.join(folder, "yolo", name.replace("/", "-"))
        why = written(src, to, task, *options)
        if why is None:
            judge("%s as %s" % (name, task), to, task, None)
        elif "no format recognises it" in why:
            print("skip %s: no reader for it yet" % name)
        else:
            tell(False, "%s as %s" % (name, task), [why])


with tempfile.TemporaryDirectory() as scratch:
    made(scratch)
    one_split(scratch)
    oriented(scratch)
    classified(scratch)
    fixtures(scratch)
print("%d passed, %d failed" % (results[True], results[False]))
sys.exit(1 if results[False] or not results[True] else 0)
