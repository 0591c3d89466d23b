/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_yolo.c - YOLO: a text file of relative numbers beside every image
 *
 * Detect, segment, pose, oriented boxes and classification of Ultralytics, and
 * darknet's obj.data. Labels have no ids, no sizes, no attributes. Empty label
 * files say "nothing to see", missing ones nothing at all.
 *
 * Source: docs.ultralytics.com/datasets; ultralytics/data/utils.py
 */
#include "data/formats/yolo.h"

#include <stdio.h>

static bool is_yaml(const char *name)
{
    return tni_ends_with(name, ".yaml") || tni_ends_with(name, ".yml");
}

static int score_yaml(tni_span head)
{
    const bool names = tni_has_text(head, "names");
    static const char *const keys[] = {"train", "val", "test", "path"};
    bool splits = false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char key[16], quoted[16];
        (void)snprintf(key, sizeof key, "%s:", keys[i]);
        (void)snprintf(quoted, sizeof quoted, "%s\":", keys[i]);
        splits =
            splits || tni_has_text(head, key) || tni_has_text(head, quoted);
    }
    return names && splits ? 85 : 0;
}

static int score_data(tni_span head)
{
    return tni_has_text(head, "names") && tni_has_text(head, "train") &&
                   tni_has_text(head, "=")
               ? 80
               : 0;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir)
        return is_yaml(p->path)                  ? score_yaml(p->head)
               : tni_ends_with(p->path, ".data") ? score_data(p->head)
                                                 : 0;
    for (size_t i = 0; i < p->n_entries; i++) {
        const char *name = p->entries[i].name;
        if (p->entries[i].is_dir) continue;
        if (is_yaml(name) &&
            score_yaml(tni_probe_head(p, tni_join(p->r, p->path, name))) > 0)
            return 85;
        if (tni_ends_with(name, ".data") &&
            score_data(tni_probe_head(p, tni_join(p->r, p->path, name))) > 0)
            return 80;
    }
    if (!tni_probe_has(p, "images") || !tni_probe_has(p, "labels")) return 0;
    /* Images called labels are masks, or a class. */
    tni_held held;
    tni_probe_held(&held, p, tni_join(p->r, p->path, "labels"));
    return held.texts || !held.images ? 60 : 0;
}

/* The file of a folder that says what is where; NULL: there is none. */
static tn_status find_config(tni_reader *r, const char **path, bool *yaml,
                             tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    *path = NULL;
    *yaml = false;
    TN_TRY(tni_list(r, r->path, &e, &n, err));
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = r;
    /* data.yaml before others; they in byte order. */
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < n; i++) {
            const char *name = e[i].name;
            if (e[i].is_dir || *path != NULL) continue;
            if (pass == 0   ? strcmp(name, "data.yaml") != 0
                : pass == 1 ? !is_yaml(name)
                            : !tni_ends_with(name, ".data"))
                continue;
            const char *full = tni_join(r, r->path, name);
            const tni_span head = tni_probe_head(&p, full);
            if ((pass < 2 ? score_yaml(head) : score_data(head)) == 0) continue;
            *path = full;
            *yaml = pass < 2;
        }
    return TN_OK;
}

/* images/ and labels/ alone: splits by folders, classes by classes.txt. */
static tn_status find_loose(tni_reader *r, tni_yolo_config *c, tn_err *err)
{
    static const char *const splits[] = {"train", "val", "valid", "test"};
    static const char *const names[] = {"classes.txt", "labels/classes.txt",
                                        "obj.names"};
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    c->root = r->path;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *file = tni_join(r, r->path, names[i]);
        if (file == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (c->n_classes == 0 && tni_path_look(file).is_file)
            TN_TRY(tni_yolo_names_file(r, file, &c->n_classes, err));
    }
    const char *images = tni_join(r, r->path, "images");
    TN_TRY(tni_list(r, images, &e, &n, err));
    bool split = n > 0;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof splits / sizeof splits[0]; k++)
            known = known || strcmp(e[i].name, splits[k]) == 0;
        split = split && e[i].is_dir && known;
    }
    if (!split) return tni_yolo_add_entry(r, c, images, TN_NONE, err);
    for (size_t i = 0; i < n; i++) {
        uint32_t s = 0;
        TN_TRY(tni_add_split(r->d, e[i].name, strlen(e[i].name), &s, err));
        TN_TRY(
            tni_yolo_add_entry(r, c, tni_join(r, images, e[i].name), s, err));
    }
    return TN_OK;
}

static tni_yolo_task task_of(const char *variant)
{
    static const char *const names[] = {"", "detect", "segment", "pose", "obb"};
    for (int i = 1; variant != NULL && i <= TNI_YOLO_OBB; i++)
        if (strcmp(variant, names[i]) == 0) return (tni_yolo_task)i;
    return TNI_YOLO_AUTO;
}

/* Oriented boxes in DOTA's own files look like a dataset without labels. */
static tn_status look_for_dota(tni_reader *r, const tni_yolo_config *c,
                               tn_err *err)
{
    static const char *const folders[] = {"labelTxt", "train/labelTxt",
                                          "valid/labelTxt", "test/labelTxt"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        const char *path = tni_join(r, c->root, folders[i]);
        if (path == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        if (!tni_path_look(path).is_dir || r->d->anns.n > 0) continue;
        tni_err_where(err, "%s", path);
        return tni_fail(err, TN_EUNSUPPORTED,
                        "the labels are DOTA's (labelTxt), which are not read; "
                        "export the dataset as YOLO oriented boxes (labels)");
    }
    return TN_OK;
}

/* What tni_yolo_read_image has to know. */
static tn_status leave_labels(tn_dataset *d, const tni_yolo_config *c,
                              tn_err *err)
{
    tni_yolo_config *left = TNI_NEW(&d->arena, tni_yolo_config);
    if (left == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    *left = *c;
    left->root = NULL;
    left->entries = NULL;
    left->numbers = NULL;
    left->n_entries = left->cap_entries = 0;
    d->left = left;
    return TN_OK;
}

static tn_status read(tni_reader *r, tn_err *err)
{
    tni_yolo_config c;
    tni_yolo_numbers numbers = {.n = 0};
    memset(&c, 0, sizeof c);
    tni_idmap_init(&numbers.ids, &r->scratch);
    c.numbers = &numbers;
    if (r->variant != NULL && strcmp(r->variant, "classify") == 0) {
        if (r->is_dir) return tni_yolo_read_classify(r, err);
        return tni_fail(err, TN_EINVAL,
                        "a classification dataset is a folder of folders");
    }
    const char *path = r->path;
    bool yaml = is_yaml(r->path);
    if (r->is_dir) TN_TRY(find_config(r, &path, &yaml, err));
    const char *images = tni_join(r, r->path, "images");
    if (images == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    /* Neither a description nor images/: folders of classes, if anything. */
    if (path == NULL && r->variant == NULL && !tni_path_look(images).is_dir)
        return tni_yolo_read_classify(r, err);
    if (path == NULL)
        TN_TRY(find_loose(r, &c, err));
    else if (yaml)
        TN_TRY(tni_yolo_config_yaml(r, &c, path, err));
    else
        TN_TRY(tni_yolo_config_darknet(r, &c, path, err));
    const tni_yolo_task asked = task_of(r->variant);
    if (asked == TNI_YOLO_POSE && c.n_kpts == 0)
        return tni_fail(err, TN_EINVAL,
                        "keypoints need kpt_shape in the data.yaml: how many "
                        "and with how many numbers each");
    if (asked != TNI_YOLO_AUTO) c.task = asked;
    c.left = r->leave && c.task != TNI_YOLO_AUTO;
    if (c.left) TN_TRY(leave_labels(r->d, &c, err));
    TN_TRY(tni_yolo_read_entries(r, &c, err));
    TN_TRY(look_for_dota(r, &c, err));
    return tni_yolo_settle(r, &c, 0, err);
}

/* Fields of the dataset that a data.yaml takes back. */
static bool keeps_meta(const tn_dataset *d)
{
    if (d->format != &tni_format_yolo) return false;
    for (uint32_t i = 0; i < d->metas.n; i++)
        if (strcmp(TNI_ROW(&d->metas, tni_meta, i)->key, "download") == 0)
            return false;
    return true;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = TNI_KEEPS(BOX) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) |
                     TNI_KEEPS(UNKNOWN);
    const uint64_t shapes = counts[TNI_F_POLYGON] + counts[TNI_F_MASK];
    if (*variant == NULL)
        *variant = counts[TNI_F_KEYPOINTS] > 0 ? "pose"
                   : counts[TNI_F_OBB] > 0     ? "obb"
                   : shapes > 0                ? "segment"
                   : counts[TNI_F_TAG] > 0 && counts[TNI_F_BOX] == 0
                       ? "classify"
                       : "detect";
    const char *v = *variant;
    const bool outlines = strcmp(v, "segment") == 0 || strcmp(v, "obb") == 0;
    keeps |= outlines ? TNI_KEEPS(OUTSIDE_BOX) : TNI_KEEPS(OUTSIDE);
    if (strcmp(v, "segment") == 0) keeps |= TNI_KEEPS(POLYGON);
    if (strcmp(v, "obb") == 0) keeps |= TNI_KEEPS(OBB);
    if (strcmp(v, "pose") == 0) {
        keeps |= TNI_KEEPS(KEYPOINTS);
        keeps |= TNI_KEEPS(VISIBILITY);
    }
    if (strcmp(v, "classify") == 0) keeps = TNI_KEEPS(TAG) | TNI_KEEPS(SPLIT);
    if (keeps_meta(d)) keeps |= TNI_KEEPS(META);
    return keeps;
}

const tni_format tni_format_yolo = {
    .name = "yolo",
    .title = "YOLO",
    .files = "data.yaml",
    .source = "https://docs.ultralytics.com/datasets/",
    .variants = "detect segment pose obb classify",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) |
             TNI_KEEPS(UNKNOWN) | TNI_KEEPS(POLYGON) | TNI_KEEPS(OBB) |
             TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) | TNI_KEEPS(TAG),
    .flags = TNI_FORMAT_STEMS | TNI_FORMAT_UNITS | TNI_FORMAT_INSIDE,
    /* Eight places; a corner is a centre and half a side. */
    .off_units = 1e-8,
    .probe = probe,
    .read = read,
    .read_image = tni_yolo_read_image,
    .plan = plan,
    .write = tni_yolo_write,
};
