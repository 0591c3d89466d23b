/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_voc.c - Pascal VOC: an XML file per image
 *
 * The devkit's tree (Annotations, JPEGImages, ImageSets, SegmentationClass,
 * SegmentationObject), one such tree per split or year, or XML beside images
 * as LabelImg and Roboflow have it, in folders of splits or not; or one file.
 *
 * The devkit counts pixels from 1 and its boxes end in their last pixel; most
 * tools write edges from 0, and nothing in a file tells which. Numbers stay as
 * they are unless the variant "one-based" is asked for, which takes 1 off the
 * left and the top when it reads and adds it when it writes. Notes say what
 * the boxes prove.
 *
 * What is where in the model: `pose` is an attribute, parts are annotations of
 * their own that follow their object in its group and are marked "part". Lists
 * of single tasks are the image's "image_sets", the border between segmented
 * objects its "void". A class list gives an image a class where its XML has no
 * object of it. Turned boxes are read as roLabelImg, DIOR-R and CVAT write
 * them, outlines as Roboflow does.
 *
 * Source: host.robots.ox.ac.uk/pascal/VOC, devkit_doc.pdf; what LabelImg,
 * roLabelImg, CVAT, Datumaro and Roboflow write
 */
#include "data/formats/voc.h"

#include <stdio.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- recognising ------------------------------------------------------------ */

static bool is_voc(tni_span head)
{
    const bool root = tni_has_text(head, "<annotation>") ||
                      tni_has_text(head, "<annotation ");
    const bool labelme = tni_has_text(head, "<sourceImage>") ||
                         tni_has_text(head, "<imagesize>") ||
                         tni_has_text(head, "<username>");
    return root && !labelme;
}

static bool is_likely(const char *name)
{
    static const char *const names[] = {"annotations", "annotation", "xmls",
                                        "VOCdevkit"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (tni_ends_with(name, names[i])) return true;
    return tni_is_split_name(name) || strncmp(name, "VOC", 3) == 0;
}

/* Whether the first XML file below a folder is one of VOC; -1: there is none in
 * the folders where one may be, and a few others. */
static int look_at(const tni_probe *p, const char *folder, int depth)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    int found = -1, others = 4;
    if (folder == NULL || tni_list(p->r, folder, &e, &n, NULL) != TN_OK)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir && tni_ends_with(e[i].name, ".xml"))
            return is_voc(tni_probe_head(p, tni_join(p->r, folder, e[i].name)))
                       ? 1
                       : 0;
    for (size_t i = 0; i < n && depth > 0 && found < 0; i++) {
        const bool likely = is_likely(e[i].name);
        if (e[i].is_dir && (likely || others-- > 0))
            found = look_at(p, tni_join(p->r, folder, e[i].name), depth - 1);
    }
    return found;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return is_voc(p->head) ? 85 : 0;
    const bool tree = tni_probe_has(p, "ImageSets") &&
                      (tni_probe_has(p, "JPEGImages") ||
                       tni_probe_has(p, "SegmentationClass") ||
                       tni_probe_has(p, "Annotations"));
    const int xml = look_at(p, p->path, 3);
    if (xml > 0) return tree ? 90 : 80;
    return tree && !tni_probe_has(p, "label_2") && xml < 0 ? 75 : 0;
}

/* --- reading ------------------------------------------------------------------ */

/* "a/b.xml" without its end. */
static char *stem_of(tni_voc *v, const char *name)
{
    return tni_arena_strndup(&v->r->scratch, name, strlen(name) - 4);
}

static tn_status read_root(tni_voc *v)
{
    const tni_voc_root *t = &v->roots[v->root];
    const tni_found *list = NULL;
    size_t n = 0;
    if (t->annotations == NULL) return TN_OK;
    TN_TRY(tni_walk(v->r, t->annotations, ".xml", &list, &n, v->err));
    for (size_t i = 0; i < n; i++) {
        v->stem = stem_of(v, list[i].name);
        if (v->stem == NULL) return no_memory(v->err);
        TN_TRY(tni_voc_read_xml(v, list[i].path));
        TN_TRY(tni_reader_progress(v->r, i, n, v->err));
    }
    return TN_OK;
}

/* Pictures of images that have no XML. */
static tn_status read_pictures(tni_voc *v, const char *folder)
{
    const tni_found *list = NULL;
    size_t n = 0;
    if (folder == NULL) return TN_OK;
    TN_TRY(tni_walk(v->r, folder, ".png", &list, &n, v->err));
    for (size_t i = 0; i < n; i++) {
        v->stem = stem_of(v, list[i].name);
        if (v->stem == NULL) return no_memory(v->err);
        v->image = tni_voc_image_of(v, v->root, v->stem, strlen(v->stem));
        if (v->image == TN_NONE) {
            const char *prefix = v->roots[v->root].prefix;
            const size_t len = strlen(prefix) + strlen(v->stem) + 5;
            char *name = tni_arena_alloc(&v->r->scratch, len, 1);
            if (name == NULL) return no_memory(v->err);
            (void)snprintf(name, len, "%s%s.jpg", prefix, v->stem);
            TN_TRY(tni_voc_new_image(v, v->root, name, 0, &v->image));
        }
        if (tni_image_at(v->d, v->image)->state != TN_STATE_UNKNOWN) continue;
        TN_TRY(tni_voc_masks(v, NULL, 0));
        tni_arena_reset(&v->pixels);
    }
    return TN_OK;
}

/* The headers of images that no XML file is about. */
static tn_status read_headers(tni_voc *v)
{
    for (uint32_t i = 0; i < v->d->images.n; i++)
        if (tni_image_at(v->d, i)->raw_width == 0)
            TN_TRY(tni_read_header(v->r, i, v->err));
    return TN_OK;
}

static tn_status tell_base(tni_voc *v)
{
    static const char form[] =
        "of the edges of boxes %llu are at 0, %llu at 1, %llu one pixel before "
        "the end of the image, %llu at its end, %llu beyond: %s";
    const char *code = NULL, *says = NULL;
    uint64_t where = v->where_zero;
    if (v->at_zero > 0) {
        code = "voc-base-0";
        says = "pixels count from 0";
    } else if (v->at_end > 0) {
        code = "voc-base-undecidable";
        says = "they may count from 0 or from 1 (voc:one-based)";
        where = v->where_end;
    }
    if (code != NULL && !v->one_based)
        TN_TRY(tni_note_add(
            v->d, where, code, v->err, form, (unsigned long long)v->at_zero,
            (unsigned long long)v->at_one, (unsigned long long)v->at_last,
            (unsigned long long)v->at_end, (unsigned long long)v->over, says));
    if (v->over == 0) return TN_OK;
    return tni_note_add(
        v->d, v->where_over, "voc-base-overflow", v->err, form,
        (unsigned long long)v->at_zero, (unsigned long long)v->at_one,
        (unsigned long long)v->at_last, (unsigned long long)v->at_end,
        (unsigned long long)v->over, "boxes end outside of their images");
}

static tn_status read_tree(tni_voc *v)
{
    TN_TRY(tni_voc_labelmap(v));
    TN_TRY(tni_voc_add_images(v));
    for (v->root = 0; v->root < v->n_roots; v->root++) TN_TRY(read_root(v));
    for (v->root = 0; v->root < v->n_roots; v->root++) {
        TN_TRY(read_pictures(v, v->roots[v->root].class_masks));
        TN_TRY(read_pictures(v, v->roots[v->root].object_masks));
    }
    bool other = v->n_read > 0;
    for (uint32_t i = 0; i < v->n_roots; i++)
        other = other || v->roots[i].sets != NULL ||
                v->roots[i].class_masks != NULL;
    if (!other)
        return tni_fail(v->err, TN_ENOTFOUND,
                        "the folder has no annotation of Pascal VOC; expected "
                        "Annotations/*.xml, <split>/*.xml or *.xml");
    return tni_voc_sets(v);
}

static tn_status read_all(tni_voc *v)
{
    TN_TRY(tni_voc_find_roots(v));
    if (v->r->is_dir) {
        TN_TRY(read_tree(v));
    } else {
        const char *slash = strrchr(v->r->path, '/');
        v->stem = slash != NULL ? slash + 1 : v->r->path;
        v->stem =
            tni_arena_strndup(&v->r->scratch, v->stem, tni_stem_len(v->stem));
        if (v->stem == NULL) return no_memory(v->err);
        v->roots[0].class_masks = v->roots[0].object_masks = NULL;
        TN_TRY(tni_voc_read_xml(v, v->r->path));
    }
    TN_TRY(read_headers(v));
    if (v->n_labels == 0) TN_TRY(tni_classes_sort(&v->classes, v->err));
    TN_TRY(tni_voc_tags(v));
    return tell_base(v);
}

static tn_status read(tni_reader *r, tn_err *err)
{
    tni_voc *v = TNI_NEW(&r->scratch, tni_voc);
    if (v == NULL) return no_memory(err);
    v->r = r;
    v->d = r->d;
    v->err = err;
    v->one_based = r->variant != NULL && strcmp(r->variant, "one-based") == 0;
    r->d->variant = v->one_based ? "one-based" : "as-is";
    v->draft = tni_draft_new(&r->scratch, err);
    if (v->draft == NULL) return TN_ENOMEM;
    tni_classes_init(&v->classes, r);
    tni_image_set_init(&v->images, r);
    tni_strmap_init(&v->stems, &r->scratch);
    tni_strmap_init(&v->seen, &r->scratch);
    tni_arena_init(&v->pixels, &r->d->mem, 1 << 14);
    tni_col_init(&v->pairs, &r->d->mem, sizeof(tni_voc_pair));
    tni_col_init(&v->marks, &r->d->mem, sizeof(tni_voc_mark));
    const tn_status status = read_all(v);
    tni_col_fini(&v->pairs);
    tni_col_fini(&v->marks);
    tni_arena_fini(&v->pixels);
    return status;
}

const tni_format tni_format_voc = {
    .name = "voc",
    .title = "Pascal VOC",
    .files = "Annotations/*.xml",
    .source = "http://host.robots.ox.ac.uk/pascal/VOC/",
    .variants = "as-is one-based",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(OUTLINE_BOX) | TNI_KEEPS(DEGENERATE) | TNI_KEEPS(MASK) |
             TNI_KEEPS(TAG) | TNI_KEEPS(ATTRIBUTES) | TNI_KEEPS(EXTRA) |
             TNI_KEEPS(DIFFICULT) | TNI_KEEPS(TRUNCATED) | TNI_KEEPS(OCCLUDED) |
             TNI_KEEPS(GROUP) | TNI_KEEPS(CLASS_EXTRA) | TNI_KEEPS(SIZE) |
             TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(SPLIT) | TNI_KEEPS(OVERLAP) |
             TNI_KEEPS(EMPTY) | TNI_KEEPS(UNKNOWN),
    .flags = TNI_FORMAT_STEMS | TNI_FORMAT_ONE_SPACE | TNI_FORMAT_PICTURES,
    .probe = probe,
    .read = read,
    .plan = tni_voc_plan,
    .write = tni_voc_write,
};
