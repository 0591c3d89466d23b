/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_createml.c - Create ML object detection JSON
 *
 * A list of {"image": name, "annotations": [{"label", "coordinates": {"x", "y",
 * "width", "height"}}]} in pixels, beside the images. Apple's documents also
 * say "imagefilename" and "annotation". x, y is the centre unless the training
 * was told otherwise, which the file does not say: some tools write the
 * top-left corner. It is read as the centre; boxes that then leave their image
 * while corners would not are a note. An annotation without coordinates is a
 * class of the whole image.
 *
 * Source: developer.apple.com/documentation/createml/mlobjectdetector/
 *         datasource; Roboflow's export (_annotations.createml.json)
 */
#include "data/records.h"

#include <stdio.h>

#define ROBOFLOW "_annotations.createml.json"

typedef struct createml {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_json j;
    tni_classes *classes;
    tni_image_set *images;
    const char *folders[3];
    uint32_t source, split;
    bool corner;
    uint64_t n_left, n_right; /* boxes outside if centres, if corners */
    uint64_t outside;         /* where the first of n_left is */
} createml;

static int score_head(tni_span head)
{
    size_t i = 0;
    if (head.len >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0) i = 3;
    while (i < head.len && (unsigned char)head.p[i] <= ' ') i++;
    if (i == head.len || head.p[i] != '[') return 0;
    const bool image = tni_has_text(head, "\"image\"") ||
                       tni_has_text(head, "\"imagefilename\"");
    if (tni_has_text(head, "\"image_id\"")) return 0;
    if (image && tni_has_text(head, "\"coordinates\"") &&
        tni_has_text(head, "\"label\""))
        return 85;
    return image && tni_has_text(head, "\"annotations\"") ? 60 : 0;
}

static bool is_one(tni_reader *r, const char *path)
{
    tni_probe p;
    memset(&p, 0, sizeof p);
    p.r = r;
    return score_head(tni_probe_head(&p, path)) > 0;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_head(p->head);
    for (size_t i = 0; i < p->n_entries; i++) {
        const tni_dir_entry *e = &p->entries[i];
        const char *path = tni_join(p->r, p->path, e->name);
        if (path == NULL) return 0;
        if (!e->is_dir && tni_ends_with(e->name, ".json") && is_one(p->r, path))
            return 85;
        path = e->is_dir ? tni_join(p->r, path, ROBOFLOW) : NULL;
        if (path != NULL && is_one(p->r, path)) return 90;
    }
    return 0;
}

/* --- reading ------------------------------------------------------------- */

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static uint64_t here(const createml *c, const char *p)
{
    return tni_where(c->source, (uint64_t)(p - c->j.start));
}

/* "key": value, from the quote before the key to the end of the value. */
static tni_span member(tni_span key, tni_span value)
{
    const tni_span m = {key.p - 1, (size_t)(value.p + value.len - key.p) + 1};
    return m;
}

static tn_status read_coordinates(createml *c, tni_ann *a, tni_json at)
{
    static const char *const names[4] = {"x", "y", "width", "height"};
    tni_span key;
    unsigned seen = 0;
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            int k = 0;
            while (k < 4 && !tni_span_is(key, names[k])) k++;
            if (k == 4 || (seen >> k & 1) != 0) {
                (void)tni_json_fail(&c->j, key.p,
                                    "found '%.*s' among coordinates, expected "
                                    "x, y, width and height once each",
                                    key.len > 40 ? 40 : (int)key.len, key.p);
                return c->j.status;
            }
            if (!tni_json_f64(&c->j, &a->box[k])) return c->j.status;
            seen |= 1u << k;
        }
    TN_TRY(c->j.status);
    if (seen != 15) {
        (void)tni_json_fail(&c->j, at.p,
                            "coordinates without '%s'; expected x, y, width "
                            "and height",
                            names[__builtin_ctz(~seen)]);
        return c->j.status;
    }
    a->flags |= TN_HAS_BOX | TNI_FORM(c->corner ? TN_BOX_XYWH : TN_BOX_CXCYWH);
    return TN_OK;
}

/* Which of the two meanings the box would contradict. */
static void weigh(createml *c, const tni_ann *a)
{
    double w = 0.0, h = 0.0;
    if ((a->flags & TN_HAS_BOX) == 0 || c->corner) return;
    const bool sized = tni_image_extent(c->d, a->image, &w, &h);
    const double *b = a->box;
    if (b[0] - b[2] / 2 < -1.0 || b[1] - b[3] / 2 < -1.0 ||
        (sized && (b[0] + b[2] / 2 > w + 1.0 || b[1] + b[3] / 2 > h + 1.0))) {
        if (c->n_left++ == 0) c->outside = a->where;
    }
    if (b[0] < 0.0 || b[1] < 0.0 ||
        (sized && (b[0] + b[2] > w + 1.0 || b[1] + b[3] > h + 1.0)))
        c->n_right++;
}

static tn_status keep_extras(createml *c, tni_json j, uint32_t ann)
{
    tni_span key, raw;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            if (tni_span_is(key, "label") || tni_span_is(key, "coordinates"))
                continue;
            TN_TRY(tni_set_text(c->d, ann, TN_TEXT_EXTRA, member(key, raw),
                                c->err));
        }
    return j.status;
}

static tn_status read_annotation(createml *c, uint32_t image)
{
    tni_ann a;
    tni_span key, label = {NULL, 0};
    bool extras = false;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.class_index = TN_NONE;
    (void)tni_json_peek(&c->j);
    const tni_json begin = c->j;
    a.where = here(c, begin.p);
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            bool escaped = false;
            tni_span raw;
            if (tni_span_is(key, "label")) {
                if (!tni_json_string(&c->j, &raw, &escaped)) break;
                label.p = tni_keep_json(c->d, raw, escaped);
                if (label.p == NULL) return no_memory(c->err);
                label.len = strlen(label.p);
            } else if (tni_span_is(key, "coordinates")) {
                TN_TRY(read_coordinates(c, &a, c->j));
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    TN_TRY(c->j.status);
    if (label.p == NULL) {
        (void)tni_json_fail(&c->j, begin.p, "an annotation has no 'label'");
        return c->j.status;
    }
    if ((a.flags & TN_HAS_BOX) == 0) a.flags |= TN_IS_TAG;
    TN_TRY(tni_class_named(c->classes, label, a.where, &a.class_index, c->err));
    TN_TRY(tni_add_annotation(c->d, &a, &ann, c->err));
    weigh(c, &a);
    return extras ? keep_extras(c, begin, ann) : TN_OK;
}

static bool is_image_key(tni_span key)
{
    return tni_span_is(key, "image") || tni_span_is(key, "imagefilename");
}

static bool is_list_key(tni_span key)
{
    return tni_span_is(key, "annotations") || tni_span_is(key, "annotation");
}

/* First the name, which may come last; then the annotations. */
static tn_status read_image(createml *c)
{
    tni_span key, raw, name = {NULL, 0};
    (void)tni_json_peek(&c->j);
    tni_json list, begin = c->j;
    bool listed = false, escaped = false, extras = false, fresh = false;
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            if (is_image_key(key) && name.p == NULL) {
                (void)!tni_json_string(&c->j, &name, &escaped);
            } else if (is_list_key(key) && !listed) {
                (void)tni_json_peek(&c->j);
                list = c->j;
                listed = true;
                (void)!tni_json_skip(&c->j, NULL);
            } else {
                extras = true;
                (void)!tni_json_skip(&c->j, NULL);
            }
        }
    TN_TRY(c->j.status);
    const char *text = name.p != NULL ? tni_keep_json(c->d, name, escaped) : "";
    if (text == NULL) return no_memory(c->err);
    if (text[0] == '\0' || !listed) {
        (void)tni_json_fail(&c->j, begin.p, "an image has no '%s'",
                            listed ? "image" : "annotations");
        return c->j.status;
    }
    uint32_t image = TN_NONE;
    const uint64_t where = here(c, begin.p);
    TN_TRY(tni_image_named(c->images, text, c->split, where, c->folders, &image,
                           &fresh, c->err));
    if (!fresh)
        TN_TRY(tni_note_add(c->d, where, "image-twice", c->err,
                            "image '%.100s' has a second entry; their "
                            "annotations are put together",
                            text));
    const tni_json end = c->j;
    c->j = list;
    const uint32_t first = c->d->anns.n;
    if (tni_json_enter(&c->j, '['))
        while (tni_json_item(&c->j)) TN_TRY(read_annotation(c, image));
    TN_TRY(c->j.status);
    c->j = end;
    if (fresh && first == c->d->anns.n)
        tni_image_at(c->d, image)->state = TN_STATE_EMPTY;
    if (!extras || !fresh || !tni_json_enter(&begin, '{')) return TN_OK;
    while (tni_json_key(&begin, &key) && tni_json_skip(&begin, &raw))
        if (!is_image_key(key) && !is_list_key(key))
            TN_TRY(tni_set_image_text(c->d, image, TN_TEXT_EXTRA,
                                      member(key, raw), c->err));
    return begin.status;
}

static tn_status read_list(createml *c, const char *path)
{
    tni_span text = {NULL, 0};
    uint32_t n = 0;
    TN_TRY(tni_source_open(c->d, path, &c->source, &text, c->err));
    tni_json_init(&c->j, text.p, text.len, c->d->limits.max_nesting, c->err);
    if (tni_json_enter(&c->j, '['))
        while (tni_json_item(&c->j)) {
            TN_TRY(read_image(c));
            if ((++n & 255) == 0)
                TN_TRY(tni_reader_progress(
                    c->r, (uint64_t)(c->j.p - c->j.start), text.len, c->err));
        }
    (void)!tni_json_end(&c->j);
    return c->j.status;
}

/* One file and, of a folder, the images beside it that it does not name. */
static tn_status read_file(createml *c, const char *path, const char *split,
                           bool unnamed)
{
    const char *own = tni_folder_of(c->r, path);
    if (own == NULL) return no_memory(c->err);
    c->split = TN_NONE;
    if (split != NULL)
        TN_TRY(tni_add_split(c->d, split, strlen(split), &c->split, c->err));
    size_t n = 0;
    if (c->r->images != NULL && split != NULL) {
        c->folders[n] = tni_join(c->r, c->r->images, split);
        if (c->folders[n++] == NULL) return no_memory(c->err);
    }
    c->folders[n++] = c->r->images != NULL ? c->r->images : own;
    c->folders[n] = NULL;
    const tn_status status = read_list(c, path);
    if (status != TN_OK) {
        tni_err_where(c->err, "%s", path);
        return status;
    }
    return unnamed && c->r->images == NULL
               ? tni_images_below(c->images, own, c->split, c->err)
               : TN_OK;
}

static tn_status read_folder(createml *c)
{
    const tni_dir_entry *e = NULL, *sub = NULL;
    size_t n = 0, n_sub = 0, here_n = 0, below = 0;
    TN_TRY(tni_list(c->r, c->r->path, &e, &n, c->err));
    const char **paths = TNI_NEW_ARRAY(&c->r->scratch, const char *, n + 1);
    if (paths == NULL) return no_memory(c->err);
    for (size_t i = 0; i < n; i++) {
        const char *path = tni_join(c->r, c->r->path, e[i].name);
        if (path == NULL) return no_memory(c->err);
        if (!e[i].is_dir) {
            if (!tni_ends_with(e[i].name, ".json") || !is_one(c->r, path))
                continue;
            paths[i] = path;
            here_n++;
            continue;
        }
        TN_TRY(tni_list(c->r, path, &sub, &n_sub, c->err));
        for (size_t k = 0; k < n_sub && paths[i] == NULL; k++) {
            if (sub[k].is_dir || !tni_ends_with(sub[k].name, ".json")) continue;
            const char *file = tni_join(c->r, path, sub[k].name);
            if (file == NULL) return no_memory(c->err);
            if (is_one(c->r, file)) paths[i] = file;
        }
        if (paths[i] != NULL) below++;
    }
    if (here_n + below == 0)
        return tni_fail(c->err, TN_ENOTFOUND,
                        "the folder has no Create ML file; expected *.json or "
                        "*/" ROBOFLOW);
    for (size_t i = 0; i < n; i++) {
        if (paths[i] == NULL) continue;
        /* train.json beside val.json: splits by name. */
        char stem[256];
        const size_t len = tni_stem_len(e[i].name);
        const bool named = !e[i].is_dir && here_n > 1 && len < sizeof stem;
        if (named)
            (void)snprintf(stem, sizeof stem, "%.*s", (int)len, e[i].name);
        TN_TRY(read_file(c, paths[i],
                         e[i].is_dir ? e[i].name
                         : named     ? stem
                                     : NULL,
                         e[i].is_dir || (here_n == 1 && below == 0)));
    }
    return TN_OK;
}

static tn_status read(tni_reader *r, tn_err *err)
{
    createml c;
    tni_classes classes;
    tni_image_set images;
    memset(&c, 0, sizeof c);
    tni_classes_init(&classes, r);
    tni_image_set_init(&images, r);
    c.r = r;
    c.d = r->d;
    c.err = err;
    c.classes = &classes;
    c.images = &images;
    c.corner = r->variant != NULL && strcmp(r->variant, "corner") == 0;
    r->d->variant = c.corner ? "corner" : "center";
    TN_TRY(r->is_dir ? read_folder(&c) : read_file(&c, r->path, NULL, false));
    if (c.n_left > 0 && c.n_right == 0 && r->variant == NULL)
        TN_TRY(tni_note_add(c.d, c.outside, "createml-origin", err,
                            "read as centres, %llu boxes leave their image; "
                            "read as top-left corners, none does: if so, "
                            "choose the variant 'corner'",
                            (unsigned long long)c.n_left));
    return tni_classes_sort(&classes, err);
}

/* --- writing ------------------------------------------------------------- */

/* Members that would be taken for the format's own cannot be written. */
static bool clashes(const tni_sparse *s, const char *a, const char *b,
                    const char *c, const char *d)
{
    for (uint32_t i = 0; i < s->values.n; i++) {
        const tni_span *m = TNI_ROW(&s->values, tni_span, i);
        const char *end = memchr(m->p + 1, '"', m->len - 1);
        if (end == NULL) return true;
        const tni_span key = {m->p + 1, (size_t)(end - m->p) - 1};
        if (tni_span_is(key, a) || tni_span_is(key, b) || tni_span_is(key, c) ||
            tni_span_is(key, d))
            return true;
    }
    return false;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_createml.keeps;
    (void)counts;
    if (*variant == NULL) *variant = "center";
    if (clashes(&d->text[TN_TEXT_EXTRA], "label", "coordinates", "label",
                "label"))
        keeps &= ~TNI_KEEPS(EXTRA);
    if (d->image_text[TN_TEXT_ATTRIBUTES].keys.n > 0 ||
        clashes(&d->image_text[TN_TEXT_EXTRA], "image", "imagefilename",
                "annotations", "annotation"))
        keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    return keeps;
}

static void put_members(tni_out *o, const tni_sparse *s, uint32_t key)
{
    for (uint32_t k = 0;; k++) {
        const tni_span *m = tni_sparse_find(s, key, k);
        if (m == NULL) return;
        tni_out_str(o, ", ");
        tni_out_bytes(o, m->p, m->len);
    }
}

static void put_box(tni_out *o, const tni_ann *a, const double edges[4],
                    bool corner)
{
    static const char *const names[4] = {
        "{\"x\": ", ", \"y\": ", ", \"width\": ", ", \"height\": "};
    const tn_box_form form = corner ? TN_BOX_XYWH : TN_BOX_CXCYWH;
    double b[4] = {edges[0], edges[1], edges[2] - edges[0],
                   edges[3] - edges[1]};
    if (!corner) {
        b[0] = (edges[0] + edges[2]) / 2;
        b[1] = (edges[1] + edges[3]) / 2;
    }
    if ((a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0 &&
        tni_ann_form(a->flags) == form &&
        tni_ann_scale(a->flags) == TN_SCALE_PIXEL)
        memcpy(b, a->box, sizeof b);
    tni_out_str(o, ", \"coordinates\": ");
    for (int k = 0; k < 4; k++) {
        tni_out_str(o, names[k]);
        tni_out_f64(o, b[k]);
    }
    tni_out_str(o, "}");
}

static void put_annotations(tni_writer *w, tni_out *o, uint32_t image,
                            tn_shape *scratch)
{
    size_t n = 0;
    bool any = false;
    const uint32_t *list = tn_dataset_of_image(w->d, image, &n);
    for (size_t i = 0; i < n; i++) {
        tni_ann a;
        double box[4];
        tni_ann_get(w->d, list[i], &a);
        const bool boxed = tni_box_for(w->d, list[i], &a, scratch, box);
        const bool tag =
            (a.flags & TN_IS_TAG) != 0 && (a.flags & TN_IS_NEGATIVE) == 0;
        if (a.class_index == TN_NONE || (!boxed && !tag)) continue;
        const char *label = tni_class_at(w->d, a.class_index)->name;
        tni_out_str(o, any ? ",\n  {\"label\": " : "\n  {\"label\": ");
        any = true;
        tni_out_json(o, label, strlen(label));
        if (boxed) put_box(o, &a, box, strcmp(w->variant, "corner") == 0);
        if ((w->keeps & TNI_KEEPS(EXTRA)) != 0)
            put_members(o, &w->d->text[TN_TEXT_EXTRA], list[i]);
        tni_out_str(o, "}");
        w->written[list[i]] = 1;
    }
}

static tn_status write_file(tni_writer *w, const char *name, uint32_t split,
                            bool all, tn_err *err)
{
    tni_target t;
    bool any = false;
    tn_shape scratch = TN_SHAPE_INIT;
    TN_TRY(tni_target_open(&t, w, name, err));
    tni_out_str(&t.out, "[");
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        if (!all && !tni_in_split(w->d, i, split)) continue;
        tni_out_str(&t.out, any ? ",\n{\"image\": " : "\n{\"image\": ");
        any = true;
        tni_out_json(&t.out, w->names[i], strlen(w->names[i]));
        if ((w->keeps & TNI_KEEPS(IMAGE_EXTRA)) != 0)
            put_members(&t.out, &w->d->image_text[TN_TEXT_EXTRA], i);
        tni_out_str(&t.out, ", \"annotations\": [");
        put_annotations(w, &t.out, i, &scratch);
        tni_out_str(&t.out, "]}");
    }
    tni_out_str(&t.out, "\n]\n");
    tn_shape_fini(&scratch);
    return tni_target_close(&t, err);
}

static tn_status write_split(tni_writer *w, uint32_t split, tn_err *err)
{
    char path[4096];
    bool any = false;
    const char *folder = split != TN_NONE ? w->d->splits[split] : NULL;
    for (uint32_t i = 0; i < w->d->images.n; i++) {
        if (!tni_in_split(w->d, i, split)) continue;
        any = true;
        TN_TRY(tni_path_of(path, sizeof path, folder, NULL, w->names[i], err));
        TN_TRY(tni_write_image(w, i, path, err));
    }
    if (!any && (split != TN_NONE || w->d->n_splits > 0)) return TN_OK;
    TN_TRY(tni_path_of(path, sizeof path, folder, NULL, ROBOFLOW, err));
    return write_file(w, path, split, false, err);
}

static tn_status write(tni_writer *w, tn_err *err)
{
    if (w->file != NULL) return write_file(w, w->file, TN_NONE, true, err);
    TN_TRY(tni_check_splits(w->d, err));
    for (uint32_t s = 0; s < w->d->n_splits; s++)
        TN_TRY(write_split(w, s, err));
    return write_split(w, TN_NONE, err);
}

const tni_format tni_format_createml = {
    .name = "createml",
    .title = "Create ML JSON",
    .files = "*.json",
    .source = "https://developer.apple.com/documentation/createml/"
              "mlobjectdetector/datasource",
    .variants = "center corner",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(EXTRA) |
             TNI_KEEPS(IMAGE_EXTRA) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY),
    .flags = TNI_FORMAT_ONE_FILE | TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = read,
    .plan = plan,
    .write = write,
};
