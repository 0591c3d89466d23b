# SPDX-License-Identifier: Apache-2.0
"""source.py - small COCO datasets with real image files, made from nothing.

Every number is chosen by formula, so two runs make the same bytes. Images are
PNG of different sizes; annotations lie within them. Only the standard library.
"""
import json
import os
import struct
import zlib

CLASSES = ["cat", "dog", "traffic light", "no"]  # YAML 1.1 reads `no` as false
CLASS_IDS = [1, 3, 18, 90]                       # gaps, as COCO has them
SIZES = [(64, 48), (101, 77), (33, 57), (160, 120), (80, 80), (47, 31)]


def png(path, width, height, seed):
    """An RGB image that is not flat."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(((x * 5 + seed) & 255, (y * 7) & 255, (x ^ y) & 255))

    def chunk(kind, body):
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n")
        f.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        f.write(chunk(b"IDAT", zlib.compress(bytes(rows), 6)))
        f.write(chunk(b"IEND", b""))


def rle(width, height, inside):
    """Runs of a mask, column by column, beginning with those outside."""
    counts, value, run = [], 0, 0
    for x in range(width):
        for y in range(height):
            v = 1 if inside(x, y) else 0
            if v != value:
                counts.append(run)
                value, run = v, 0
            run += 1
    counts.append(run)
    return {"counts": counts, "size": [height, width]}, sum(counts[1::2])


def box(k, width, height):
    """Box k of an image, in quarters of pixels and inside of it."""
    w = 4 + (k * 7) % (width // 2)
    h = 3 + (k * 11) % (height // 2)
    x = (k * 13) % (width - w) + 0.25 * (k % 4)
    y = (k * 17) % (height - h) + 0.5 * (k % 2)
    return [min(x, float(width - w)), min(y, float(height - h)), float(w), float(h)]


def star(b):
    """Six points on the edges of a box, no two lines of which cross."""
    x, y, w, h = b
    return [x + w / 2, y, x + w, y + h / 4, x + w, y + h, x + w / 4, y + h,
            x, y + h * 3 / 4, x, y + h / 4]


def document(kind, split, first):
    """One COCO file. Kind: boxes; plain, the same without spaces in names; polygons;
    masks, polygons too; shapes, objects of two parts and crowds too; keypoints."""
    images, anns = [], []
    for i, (width, height) in enumerate(SIZES[first:first + 3]):
        number = first + i
        name = "%s%d.png" % ("im " if number == 2 and kind != "plain" else "im_",
                             number)
        images.append({"id": 1000 + number * 7, "file_name": name,
                       "width": width, "height": height})
        for k in range((number * 2) % 5 + (number > 0)):
            b = box(number + 5 * k, width, height)
            c = (number + k) % len(CLASSES)
            if kind == "keypoints":
                c = 0
            a = {"id": 50 + len(anns) * 3 + 100 * first,
                 "image_id": 1000 + number * 7, "category_id": CLASS_IDS[c],
                 "bbox": b, "area": b[2] * b[3], "iscrowd": 0}
            if kind == "polygons" or (kind in ("masks", "shapes") and k % 3 == 0):
                a["segmentation"] = [star(b)]
            elif kind == "shapes" and k % 3 == 1:
                half = [b[0], b[1], b[2] / 2 - 1, b[3]]
                other = [b[0] + b[2] / 2 + 1, b[1], b[2] / 2 - 1, b[3]]
                a["segmentation"] = [star(half), star(other)]
            elif kind in ("masks", "shapes"):
                cx, cy = b[0] + b[2] / 2, b[1] + b[3] / 2
                runs, area = rle(width, height, lambda x, y: (
                    ((x - cx) * 2 / b[2]) ** 2 + ((y - cy) * 2 / b[3]) ** 2) <= 1)
                a.update(segmentation=runs, area=area)
                a["iscrowd"] = k % 2 if kind == "shapes" else 0
            if kind == "keypoints":
                a["keypoints"] = [b[0] + 1, b[1] + 1, 2, b[0] + b[2], b[1] + 2, 1,
                                  0, 0, 0]
                a["num_keypoints"] = 2
            anns.append(a)
    categories = [{"id": n, "name": c, "supercategory": "thing"}
                  for n, c in zip(CLASS_IDS, CLASSES)]
    if kind == "plain":
        for c in categories:
            c["name"] = c["name"].replace(" ", "_")
    if kind == "keypoints":
        categories = [{"id": 1, "name": "cat", "supercategory": "thing",
                       "keypoints": ["nose", "left ear", "tail"],
                       "skeleton": [[1, 2], [2, 3]]}]
    return {"info": {"description": kind + " " + split}, "images": images,
            "annotations": anns, "categories": categories}


def make(folder, kind):
    """folder/{train,val}/*.png and folder/annotations/*.json; the documents."""
    made = {}
    for split, first in (("train", 0), ("val", 3)):
        doc = document(kind, split, first)
        for image in doc["images"]:
            png(os.path.join(folder, split, image["file_name"]), image["width"],
                image["height"], image["id"])
        path = os.path.join(folder, "annotations", "instances_%s.json" % split)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(doc, f)
        made[split] = doc
    return made


def truth(docs):
    """What every reader must find: by image, class name and edges of boxes."""
    found = {}
    for doc in docs.values():
        names = {c["id"]: c["name"] for c in doc["categories"]}
        files = {i["id"]: i["file_name"] for i in doc["images"]}
        for name in files.values():
            found[name] = []
        for a in doc["annotations"]:
            x, y, w, h = a["bbox"]
            found[files[a["image_id"]]].append(
                (names[a["category_id"]], (x, y, x + w, y + h)))
    return found
