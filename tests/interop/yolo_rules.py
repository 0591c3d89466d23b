#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""yolo_rules.py - what a YOLO trainer would drop of a dataset

    yolo_rules.py DATA.yaml [TASK]       # prints every complaint; exit code 1

The rules by which Ultralytics takes or drops images and labels, written anew
from what it is known to do (nothing of it is imported): where images and labels
are looked for, which lines are boxes and which are outlines, which values are
refused, and that one bad line drops its image with all labels. Of rules that
changed between releases the strictest is used: coordinates in [0, 1].
"""
import json
import os
import re
import struct
import sys

IMAGES = ("bmp", "dng", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp", "pfm")


class Dropped(Exception):
    """Why something is not used."""


# --- data.yaml ---------------------------------------------------------------

def scalar(text):
    """A value of the YAML that data.yaml needs, as YAML 1.1 reads it."""
    text = text.strip()
    if text[:1] in tuple('"[{'):
        return json.loads(text)
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"[-+]?\d+", text):
        return int(text)
    if text.lower() in ("yes", "no", "on", "off", "true", "false"):
        return text.lower() in ("yes", "on", "true")
    return None if text in ("", "~", "null") else text


def read_yaml(path):
    """Keys at the left, values beside them or as an indented mapping or list."""
    top, inner = {}, None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.lstrip().startswith("- "):
            if not isinstance(top[inner], list):
                top[inner] = []
            top[inner].append(scalar(line.lstrip()[2:]))
            continue
        m = re.fullmatch(r'(\s*)("(?:[^"\\]|\\.)*"|[^:]+):(?: (.*))?', line)
        if m is None:
            raise Dropped("data.yaml: not understood: %s" % line)
        key, value = scalar(m[2]), scalar(m[3] or "")
        if m[1] == "":
            top[key] = {} if value is None and not (m[3] or "").strip() else value
            inner = key
        else:
            top[inner][key] = value
    return top


def check_yaml(path):
    """The keys every dataset must have, and its folder."""
    data = read_yaml(path)
    if "val" not in data and "validation" in data:
        data["val"] = data.pop("validation")
    for key in ("train", "val"):
        if not data.get(key):
            raise Dropped("data.yaml: '%s' is required" % key)
    names = data.get("names")
    if names is None and not isinstance(data.get("nc"), int):
        raise Dropped("data.yaml: neither names nor nc")
    if names is not None:
        names = dict(names) if isinstance(names, dict) else dict(enumerate(names))
        if "nc" in data and data["nc"] != len(names):
            raise Dropped("data.yaml: nc is not the number of names")
        if names and (min(names) != 0 or max(names) != len(names) - 1):
            raise Dropped("data.yaml: classes are not numbered 0 to n - 1")
        if not all(isinstance(n, str) for n in names.values()):
            raise Dropped("data.yaml: a name is not a text: %r" % names)
        data["names"] = names
    # A relative `path` is looked for where the program was started, or in the
    # folder of its settings: only without one is it the folder of the file.
    root = data.get("path")
    if root and not os.path.isabs(root):
        raise Dropped("data.yaml: 'path: %s' is relative to a folder of the "
                      "trainer, not to this file" % root)
    data["root"] = root or os.path.dirname(os.path.abspath(path))
    return data


# --- images ------------------------------------------------------------------

def image_size(path):
    """Width and height by the header; Dropped when it is no such image."""
    with open(path, "rb") as f:
        head = f.read(32)
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack(">II", head[16:24])
        if head[:2] != b"\xff\xd8":
            raise Dropped("%s: neither PNG nor JPEG" % path)
        f.seek(-2, 2)
        if f.read() != b"\xff\xd9":
            raise Dropped("%s: the JPEG does not end in FF D9 and would be "
                          "written anew" % path)
        f.seek(2)
        while True:
            marker, size = struct.unpack(">2sH", f.read(4))
            if marker[0] == 255 and 0xC0 <= marker[1] <= 0xCF and \
                    marker[1] not in (0xC4, 0xC8, 0xCC):
                h, w = struct.unpack(">xHH", f.read(5))
                return w, h
            f.seek(size - 2, 1)


def images_of(data, entry):
    """The image files of train, val or test."""
    found = []
    for one in entry if isinstance(entry, list) else [entry]:
        path = os.path.join(data["root"], one)
        if not os.path.exists(path) and one.startswith("../"):
            path = os.path.join(data["root"], one[3:])
        if os.path.isdir(path):
            for folder, _, files in os.walk(path):
                found += [os.path.join(folder, f) for f in files]
        elif os.path.isfile(path):
            parent = os.path.dirname(path)
            for line in open(path, encoding="utf-8").read().strip().splitlines():
                found.append(os.path.join(parent, line[2:])
                             if line.startswith("./") else line)
        else:
            raise Dropped("data.yaml: %s does not exist" % one)
    found = sorted(f for f in found if f.rpartition(".")[2].lower() in IMAGES)
    if not found:
        raise Dropped("data.yaml: no images in %s" % entry)
    return found


def label_of(image):
    """labels/ in place of the last images/, and .txt for the extension."""
    left, found, right = image.rpartition("/images/")
    if found:
        image = left + "/labels/" + right
    return image.rpartition(".")[0] + ".txt"


# --- labels ------------------------------------------------------------------

def check_label(path, task, data, off=0.0):
    """(number of labels, number of outlines); Dropped with the reason."""
    rows = [line.split() for line in
            open(path, encoding="utf-8").read().strip().splitlines() if line.split()]
    if not rows:
        return 0, 0
    outlines = task != "pose" and any(len(r) > 6 for r in rows)
    numbers = [[float(v) for v in r] for r in rows]
    columns = 5
    if task == "pose":
        shape = data["kpt_shape"]
        columns += shape[0] * shape[1]
    for n, row in enumerate(numbers, 1):
        where = "%s:%d" % (path, n)
        if outlines:
            # All lines of a file are outlines as soon as one is: a box among
            # them would be taken for two points.
            if len(row) % 2 == 0:
                raise Dropped(where + ": half a point")
            if len(row) < 7:
                raise Dropped(where + ": a box among outlines")
            if task == "detect":
                raise Dropped(where + ": an outline in a set of boxes")
            if task == "obb" and len(row) != 9:
                raise Dropped(where + ": not four corners")
            points = row[1:]
        else:
            if len(row) != columns:
                raise Dropped("%s: %d columns, not %d" % (where, len(row), columns))
            if task in ("segment", "obb"):
                raise Dropped(where + ": a box where outlines are expected")
            points = row[1:5]
            if task == "pose":
                dims = data["kpt_shape"][1]
                points += [v for k, v in enumerate(row[5:]) if k % dims < 2]
        if min(points) < -off or max(points) > 1 + off:
            raise Dropped("%s: %r is not in the image" % (
                where, [v for v in points if not -off <= v <= 1 + off]))
        if row[0] != int(row[0]) or not 0 <= row[0] < len(data["names"]):
            raise Dropped("%s: no class %r" % (where, row[0]))
    if len({tuple(r) for r in numbers}) != len(numbers):
        raise Dropped(path + ": the same label twice; one is dropped")
    return len(rows), len(rows) if outlines else 0


def check(yaml, task="detect", lenient=False):
    """Everything: (complaints, counts by split and image file name). `lenient`
    takes images of fewer than ten pixels, and coordinates as far outside as
    newer releases do."""
    complaints, counts = [], {}
    try:
        data = check_yaml(yaml)
    except Dropped as e:
        return [str(e)], counts
    if task == "pose" and not isinstance(data.get("kpt_shape"), list):
        return ["data.yaml: no kpt_shape"], counts
    for split in ("train", "val", "test"):
        if not data.get(split):
            continue
        try:
            files = images_of(data, data[split])
        except Dropped as e:
            complaints.append(str(e))
            continue
        of_split = counts.setdefault(split, {})
        n_labels = n_outlines = 0
        for image in files:
            try:
                if min(image_size(image)) <= 9 and not lenient:
                    raise Dropped(image + ": smaller than 10 pixels")
                label = label_of(image)
                n, outlines = (check_label(label, task, data, 0.01 if lenient else 0.0)
                               if os.path.isfile(label) else (0, 0))
                of_split[os.path.basename(image)] = n
                n_labels += n
                n_outlines += outlines
            except (Dropped, ValueError, OSError) as e:
                complaints.append(str(e))
        if n_outlines not in (0, n_labels):
            complaints.append("%s: %d outlines among %d labels: all outlines are "
                              "dropped" % (split, n_outlines, n_labels))
    return complaints, counts


def check_classify(root, lenient=False):
    """Folders of classes: the same in every split, found by the trainer."""
    complaints, counts = [], {}
    for split in ("train",) if lenient else ("train", "val"):
        if not os.path.isdir(os.path.join(root, split)):
            return ["no folder %s" % split], counts
    classes = sorted(d for d in os.listdir(os.path.join(root, "train"))
                     if os.path.isdir(os.path.join(root, "train", d)))
    for split in ("train", "val", "test"):
        folder = os.path.join(root, split)
        if not os.path.isdir(folder):
            continue
        of_split = counts.setdefault(split, {})
        for cls in sorted(os.listdir(folder)):
            if cls not in classes:
                complaints.append("%s: class %s is not in train" % (split, cls))
            for name in os.listdir(os.path.join(folder, cls)):
                try:
                    if min(image_size(os.path.join(folder, cls, name))) <= 9 \
                            and not lenient:
                        raise Dropped(name + ": smaller than 10 pixels")
                    of_split["%s/%s" % (cls, name)] = 1
                except (Dropped, OSError) as e:
                    complaints.append(str(e))
    return complaints, counts


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found, per_split = check(sys.argv[1], *sys.argv[2:])
    for line in found:
        print(line)
    for name, images in per_split.items():
        print("%s: %d images, %d labels" % (name, len(images), sum(images.values())))
    sys.exit(1 if found else 0)
