#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""consumers.py - what pycocotools, Datumaro and supervision read of Tenon's files

    consumers.py TENON BUILD_FOLDER [TESTDATA]

Makes a scratch environment with the packages of requirements.txt (skipped, and
said so, where pip has no network), small datasets with real images, and lets
Tenon write them in every format one of these programs reads: they must find the
images, the classes, the boxes and the masks that went in. No residue is written,
so that it is the format that is judged. Ends with "N passed, N failed".

To add a format: a row in DATUMARO or SUPERVISION. Where another program reads
differently than its format says, the row has `known`: what it does, and the test
holds it to that, so that a change of theirs is seen.
"""
import contextlib
import glob
import io
import json
import logging
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import scratch  # noqa: E402
import source  # noqa: E402

results = {"passed": 0, "failed": 0, "skipped": 0}


def tell(what, why=None, known=None):
    results["failed" if why else "passed"] += 1
    print("%s %s%s" % ("FAIL" if why else "ok  ", what,
                       "" if why or not known else " (known: %s)" % known))
    for line in (why or [])[:8]:
        print("     %s" % (line,))
    sys.stdout.flush()


def skip(what, why):
    results["skipped"] += 1
    print("skip %s: %s" % (what, why))


class Refused(Exception):
    """Tenon did not write it."""


def convert(src, to, target, *options):
    r = subprocess.run(
        [TENON, "convert", src, to, "--to", target, "--allow-loss", "all",
         "--no-residue", "--images", "copy", *options], capture_output=True, text=True)
    if r.returncode:
        raise Refused((r.stderr.strip() or r.stdout.strip())[:300])


def formats():
    r = subprocess.run([TENON, "list", "formats"], capture_output=True, text=True)
    return set(r.stdout.split())


def stems(found):
    """Images by their names without folder and extension."""
    return {os.path.splitext(os.path.basename(k))[0]: v for k, v in found.items()}


# --- comparing ---------------------------------------------------------------

def differences(want, got, off, empty=True):
    """Of {image: [(class, edges)]}. Without `empty`, images that have no objects
    may be missing."""
    lines = []
    for name in sorted(set(want) | set(got)):
        a, b = sorted(want.get(name, [])), sorted(got.get(name, []))
        if name not in want or (name not in got and (a or empty)):
            lines.append("%s: in %s only" % (name, "the source" if a or name in want
                                             else "what was read"))
            continue
        if [x[0] for x in a] != [x[0] for x in b]:
            lines.append("%s: %s instead of %s" % (
                name, [x[0] for x in b], [x[0] for x in a]))
            continue
        for x in a:
            near = min((y for y in b if y[0] == x[0]),
                       key=lambda y: max(abs(p - q) for p, q in zip(x[1], y[1])))
            error = max(abs(p - q) for p, q in zip(x[1], near[1]))
            if error > off:
                lines.append("%s: %s is %g off: %s instead of %s" % (
                    name, x[0], error, near[1], x[1]))
            b.remove(near)
    return lines


# --- pycocotools -------------------------------------------------------------

def quietly(f, *args, **kw):
    with contextlib.redirect_stdout(io.StringIO()):
        return f(*args, **kw)


def coco_of(path):
    from pycocotools.coco import COCO
    return quietly(COCO, path)


def coco_facts(path):
    """Counts and the area of every mask, by image and class."""
    c = coco_of(path)
    facts = {}
    for image in c.loadImgs(c.getImgIds()):
        rows = []
        for a in c.loadAnns(c.getAnnIds(imgIds=[image["id"]])):
            name = c.cats[a["category_id"]]["name"] if "category_id" in a else ""
            x, y, w, h = a.get("bbox", [0, 0, 0, 0])
            area = int(c.annToMask(a).sum()) if a.get("segmentation") else None
            rows.append((name, (x, y, x + w, y + h), area, a.get("iscrowd", 0),
                         a.get("num_keypoints"), tuple(a.get("keypoints", ())),
                         a.get("caption")))
        facts[image["file_name"]] = rows
    return facts


def close(x, y, edges, off):
    """Areas in pixels, or keypoints. A coordinate that is printed a little off may
    move a whole edge of a mask by a pixel."""
    if isinstance(x, tuple):
        return len(x) == len(y) and all(abs(a - b) <= off for a, b in zip(x, y))
    around = 2 * (edges[2] - edges[0] + edges[3] - edges[1])
    return abs(x - y) <= (around if off else 0)


def same_facts(want, got, off, masks=True, keypoints=True):
    """Boxes as in `differences`; masks may differ by the pixels their outline
    runs through when it is printed with fewer digits."""
    lines = differences({k: [r[:2] for r in v] for k, v in want.items()},
                        {k: [r[:2] for r in v] for k, v in got.items()}, off)
    for name, rows in want.items():
        if lines:
            break
        other = got[name]
        for n, i in (("masks", 2), ("keypoints", 5)):
            if (n == "masks" and not masks) or (n == "keypoints" and not keypoints):
                continue
            a = sorted(r[:2] + (r[i],) for r in rows if r[i])
            b = sorted(r[:2] + (r[i],) for r in other if r[i])
            if len(a) != len(b) or any(
                    x[0] != y[0] or not close(x[2], y[2], x[1], off)
                    for x, y in zip(a, b)):
                lines.append("%s: %s %s instead of %s" % (
                    name, n, [x[2] for x in b], [x[2] for x in a]))
    return lines


def check_pycocotools(folder):
    """COCO that Tenon wrote, straight and by way of other formats."""
    chains = (
        ("boxes", [], 0), ("polygons", [], 0), ("shapes", [], 0), ("keypoints", [], 0),
        ("boxes", ["yolo:detect"], 1e-5), ("polygons", ["yolo:segment"], 1e-5),
        ("keypoints", ["yolo:pose"], 1e-5), ("boxes", ["labelme"], 1e-9),
        ("polygons", ["labelme"], 1e-9), ("boxes", ["via"], 1e-9),
        ("polygons", ["via"], 1e-9), ("masks", ["datumaro"], 1e-9),
        ("keypoints", ["datumaro"], 1e-9), ("boxes", ["createml"], 1e-9),
        ("plain", ["kitti"], 1e-9), ("boxes", ["voc"], 1e-9), ("polygons", ["cvat"], 0.01),
        ("masks", ["cvat"], 0.01), ("polygons", ["label-studio"], 1e-6),
        ("polygons", ["supervisely"], 1e-6), ("boxes", ["openimages"], 1e-5),
        ("boxes", ["tfrecord"], 1e-4), ("shapes", ["webdataset"], 1e-9),
        ("boxes", ["csv"], 1e-6), ("boxes", ["hf-metadata"], 1e-9),
    )
    have = formats()
    for kind, via, off in chains:
        what = "pycocotools: %s to coco" % " to ".join([kind] + via)
        if via and via[0].split(":")[0] not in have:
            skip(what, "no such format yet")
            continue
        for split in ("train", "val"):
            src = os.path.join(folder, kind, "annotations", "instances_%s.json" % split)
            want, last = coco_facts(src), src
            base = os.path.join(folder, "chain", "-".join([kind] + via) + "-" + split)
            try:
                options = ["--image-dir", os.path.join(folder, kind, split)]
                for n, target in enumerate(via):
                    step = "%s.%d" % (base.replace(":", "-"), n)
                    convert(last, step, target, *options)
                    last, options = step, ["--from", target]
                out = base.replace(":", "-") + ".json"
                convert(last, out, "coco", *options)
                tell("%s (%s)" % (what, split),
                     same_facts(want, coco_facts(out), off))
            except Exception as e:  # whatever they raise is the finding
                tell("%s (%s)" % (what, split), [repr(e)])


def check_results(folder):
    """Results that pycocotools takes: scores come from a results file."""
    from pycocotools.cocoeval import COCOeval
    src = os.path.join(folder, "shapes", "annotations", "instances_train.json")
    gt = coco_of(src)
    for kind in ("bbox", "segm"):
        rows = []
        for a in gt.loadAnns(gt.getAnnIds(iscrowd=False)):
            row = {"image_id": a["image_id"], "category_id": a["category_id"],
                   "score": 0.5 + a["id"] / 1000.0}
            if kind == "bbox":
                row["bbox"] = a["bbox"]
            else:
                row["segmentation"] = gt.annToRLE(a)
                row["segmentation"]["counts"] = row["segmentation"]["counts"].decode()
            rows.append(row)
        path = os.path.join(folder, "found-%s.json" % kind)
        out = os.path.join(folder, "results-%s.json" % kind)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(rows, f)
        what = "pycocotools: loadRes of %s results" % kind
        try:
            convert(path, out, "coco:results")
        except Refused as e:
            tell(what, [str(e)])
            continue
        det = quietly(gt.loadRes, out)
        why = [] if len(det.getAnnIds()) == len(rows) else [
            "%d results instead of %d" % (len(det.getAnnIds()), len(rows))]
        scores = sorted(a["score"] for a in det.loadAnns(det.getAnnIds()))
        if scores != sorted(r["score"] for r in rows):
            why.append("other scores: %s" % scores)
        run = COCOeval(gt, det, kind)
        quietly(run.evaluate)
        quietly(run.accumulate)
        quietly(run.summarize)
        if not why and run.stats[0] < 0.999:
            why.append("AP of what was written from the truth is %g" % run.stats[0])
        tell(what, why)


def check_captions(folder):
    doc = {"images": [{"id": 7, "file_name": "a.jpg", "width": 10, "height": 10}],
           "annotations": [{"id": 1, "image_id": 7, "caption": "a \"b\" \u00fc"},
                           {"id": 2, "image_id": 7, "caption": "second"}]}
    src, out = os.path.join(folder, "captions.json"), os.path.join(folder, "captions2.json")
    with open(src, "w", encoding="utf-8") as f:
        json.dump(doc, f)
    convert(src, out, "coco")
    c = coco_of(out)
    found = sorted(a["caption"] for a in c.loadAnns(c.getAnnIds(imgIds=[7])))
    tell("pycocotools: captions", None if found == ["a \"b\" \u00fc", "second"]
         else [repr(found)])
    doc["annotations"].append({"id": 3, "image_id": 7, "category_id": 5,
                               "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0})
    doc["categories"] = [{"id": 5, "name": "x"}]
    with open(src, "w", encoding="utf-8") as f:
        json.dump(doc, f)
    to = os.path.join(folder, "captions-beside")
    convert(src, to, "coco")
    parts = [coco_of(os.path.join(to, "annotations", part + ".json"))
             for part in ("captions", "instances")]
    got = [sorted(a.get("caption", a.get("bbox")) for a in c.loadAnns(c.getAnnIds(imgIds=[7])))
           for c in parts]
    if got != [found, [[1, 2, 3, 4]]] or parts[1].getCatIds() != [5]:
        got.append("instead of captions and a box")
    tell("pycocotools: captions beside instances", got[2:] and got)


# COCO files of the test data whose counts and masks must survive.
COCO_FIXTURES = (
    "faster-coco-eval/dataset/cocoapi/instances_val2014_100.json",
    "faster-coco-eval/dataset/gt_dataset.json",
    "faster-coco-eval/keypoints_dataset/gt_dataset.json",
    "faster-coco-eval/lvis_dataset/lvis_val_100.json",
    "mmpose-tests/coco/test_coco.json",
    "taco-annotations/data/annotations.json",
    "datumaro-assets/coco_dataset/coco_instances/annotations/instances_val.json",
    "datumaro-assets/coco_dataset/coco_stuff/annotations/stuff_val.json",
)


def check_coco_fixtures(folder):
    for name in COCO_FIXTURES:
        src = os.path.join(TESTDATA, "datasets", name)
        what = "pycocotools: %s" % name
        if not TESTDATA or not os.path.exists(src):
            skip(what, "not here")
            continue
        out = os.path.join(folder, "fixture.json")
        try:
            convert(src, out, "coco", "--overwrite")
            tell(what, same_facts(coco_facts(src), coco_facts(out), 0))
        except Refused as e:
            tell(what, [str(e)])


# --- Datumaro ----------------------------------------------------------------

def datumaro(path, name, shapes=False):
    import datumaro
    from datumaro.components.annotation import AnnotationType
    dataset = datumaro.Dataset.import_from(path, name)
    labels = dataset.categories().get(AnnotationType.label)
    names = [c.name for c in labels.items] if labels else []
    found = {}
    for item in dataset:
        rows = found.setdefault(item.id + ".", [])
        for a in item.annotations:
            if a.type not in (AnnotationType.bbox, AnnotationType.polygon,
                              AnnotationType.mask, AnnotationType.label):
                continue
            if a.type == AnnotationType.label:
                rows.append((names[a.label], ()))
                continue
            if (a.type == AnnotationType.bbox) == shapes:
                continue
            x, y, w, h = a.get_bbox()
            rows.append((names[a.label], (x, y, x + w, y + h)))
    return found


def top_left(truth):
    """Centres taken for corners."""
    return {k: [(c, (b[0] + (b[2] - b[0]) / 2, b[1] + (b[3] - b[1]) / 2,
                     b[2] + (b[2] - b[0]) / 2, b[3] + (b[3] - b[1]) / 2))
                for c, b in v] for k, v in truth.items()}


# Row: source, format Tenon writes, Datumaro's name of it, what is compared, how
# far coordinates may be off. Then, where needed: known, what Datumaro does; want,
# what it then reads; empty=False, images without objects are missing; each=True,
# a folder of each split is a dataset of its own.
TWO_PLACES = "rounds coordinates to two places"
DATUMARO = (
    ("boxes", "coco", "coco_instances", "boxes", 0.005, {"known": TWO_PLACES}),
    ("polygons", "coco", "coco_instances", "shapes", 0.005, {"known": TWO_PLACES}),
    ("masks", "coco", "coco_instances", "shapes", 1.0, {
        "known": "boxes of masks are those of their pixels"}),
    ("boxes", "datumaro", "datumaro", "boxes", 1e-9, {}),
    ("polygons", "datumaro", "datumaro", "shapes", 0.005, {"known": TWO_PLACES}),
    ("masks", "datumaro", "datumaro", "shapes", 1.0, {}),
    ("plain", "kitti", "kitti_detection", "boxes", 1e-6, {
        "each": True, "known": "classes are those of each split alone"}),
    ("boxes", "yolo:detect", "yolo", "boxes", 0.01, {
        "empty": False, "known": "images without a label file are left out"}),
    ("boxes", "voc", "voc_detection", "boxes", 0.005, {}),
    ("boxes", "cvat", "cvat", "boxes", 0.005, {}),
    ("polygons", "cvat", "cvat", "shapes", 0.005, {}),
    ("boxes", "openimages", "open_images", "boxes", 0.005, {}),
    ("boxes", "coco:roboflow", "roboflow_coco", "boxes", 0.005, {}),
    ("boxes", "createml", "roboflow_create_ml", "boxes", 0.005, {
        "want": top_left, "known": "takes the centre of a box for its corner"}),
)


def check_datumaro(folder):
    have = formats()
    for kind, target, name, what, off, options in DATUMARO:
        title = "Datumaro: %s of %s as %s" % (what, target, name)
        if target.split(":")[0] not in have:
            skip(title, "Tenon does not write it yet")
            continue
        to = os.path.join(folder, "dm", "%s-%s" % (kind, target.replace(":", "-")))
        try:
            convert(os.path.join(folder, kind), to, target)
            got = {}
            for part in sorted(p for p in glob.glob(to + "/*/") if "ImageSets" not in p) \
                    if options.get("each") else [to]:
                got.update(datumaro(part, name, what == "shapes"))
        except Refused as e:
            tell(title, [str(e)])
            continue
        except Exception as e:  # whatever they raise is the finding
            tell(title, ["%s: %s" % (type(e).__name__, str(e)[:400])])
            continue
        want = options.get("want", dict)(TRUTH[kind])
        tell(title, differences(stems(want), stems(got), off, options.get("empty", True)),
             options.get("known"))


# --- supervision -------------------------------------------------------------

def supervision(load, *args, **kw):
    import supervision
    dataset = getattr(supervision.DetectionDataset, load)(*args, **kw)
    found = {}
    for path, d in dataset.annotations.items():
        found[path] = [(dataset.classes[int(c)], tuple(float(v) for v in b))
                       for c, b in zip(d.class_id, d.xyxy)]
    return found


def each_split(f):
    """Joins what a reader of one split finds in train and in val."""
    def both(folder):
        found = {}
        for split in ("train", "val"):
            found.update(f(folder, split))
        return found
    return both


def one(pattern, **kw):
    found = glob.glob(pattern, **kw)
    if len(found) != 1:
        raise OSError("%s: %d files" % (pattern, len(found)))
    return found[0]


def one_less(truth):
    return {k: [(c, (b[0] - 1, b[1] - 1, b[2], b[3])) for c, b in v]
            for k, v in truth.items()}


# Row: source, format, how far coordinates may be off, how it is read, and what is
# known as in DATUMARO.
SUPERVISION = (
    ("boxes", "coco", 1e-4, each_split(lambda d, s: supervision(
        "from_coco", one(d + "/images/" + s), one(d + "/annotations/*%s*.json" % s)))),
    ("polygons", "coco", 1e-4, each_split(lambda d, s: supervision(
        "from_coco", one(d + "/images/" + s), one(d + "/annotations/*%s*.json" % s)))),
    ("boxes", "yolo:detect", 1e-3, each_split(lambda d, s: supervision(
        "from_yolo", d + "/images/" + s, d + "/labels/" + s, d + "/data.yaml"))),
    ("polygons", "yolo:segment", 1e-3, each_split(lambda d, s: supervision(
        "from_yolo", d + "/images/" + s, d + "/labels/" + s, d + "/data.yaml"))),
    ("boxes", "labelme", 1e-3, lambda d: supervision("from_labelme", d, d)),
    ("boxes", "voc", 1e-4, lambda d: supervision(
        "from_pascal_voc", d + "/JPEGImages", d + "/Annotations"),
     {"want": one_less, "known": "takes one from the left and the top"}),
    ("boxes", "createml", 1e-3, each_split(lambda d, s: supervision(
        "from_createml", d + "/" + s, one(d + "/" + s + "/*.json")))),
)


def check_supervision(folder):
    have = formats()
    for kind, target, off, read, *more in SUPERVISION:
        title = "supervision: %s of %s" % (kind, target)
        if target.split(":")[0] not in have:
            skip(title, "Tenon does not write it yet")
            continue
        to = os.path.join(folder, "sv", "%s-%s" % (kind, target.replace(":", "-")))
        try:
            convert(os.path.join(folder, kind), to, target)
            got = read(to)
        except Refused as e:
            tell(title, [str(e)])
            continue
        except Exception as e:  # whatever they raise is the finding
            tell(title, ["%s: %s" % (type(e).__name__, str(e)[:400])])
            continue
        options = more[0] if more else {}
        want = options.get("want", dict)(TRUTH[kind])
        tell(title, differences(stems(want), stems(got), off), options.get("known"))


# --- all ---------------------------------------------------------------------

def main():
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("boxes", "plain", "polygons", "masks", "shapes", "keypoints"):
            TRUTH[kind] = source.truth(source.make(os.path.join(folder, kind), kind))
        check_pycocotools(folder)
        check_results(folder)
        check_captions(folder)
        check_coco_fixtures(folder)
        check_datumaro(folder)
        check_supervision(folder)
        if os.environ.get("KEEP"):
            os.rename(folder, os.environ["KEEP"])
            os.mkdir(folder)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % results)
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    TENON, BUILD = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    TESTDATA = sys.argv[3] if len(sys.argv) > 3 else ""
    TRUTH = {}
    try:
        python = scratch.make(BUILD, os.path.join(HERE, "requirements.txt"))
    except scratch.Skipped as e:
        print("skipped: the packages to compare with cannot be installed here: %s" % e)
        sys.exit(0)
    # Links to the environment's own Python are the same file: compare names.
    if os.path.abspath(sys.executable) != os.path.abspath(python):
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    sys.exit(main())
