/* SPDX-License-Identifier: Apache-2.0 */
/* coco_annotation.c - an annotation of a COCO file, read and made rows of */
#include "data/formats/coco_reader.h"

typedef tni_coco_in coco;
typedef tni_coco_record record;

/* The status of a loop over JSON: the reader's, or what a row gave. */
#define JSON_TRY(c) TN_TRY((c)->j.status)

static tn_status read_box(coco *c, record *rec)
{
    size_t n = 0;
    (void)tni_json_peek(&c->j);
    const char *at = c->j.p;
    if (!tni_json_enter(&c->j, '[')) return c->j.status;
    while (tni_json_item(&c->j)) {
        double v = 0.0;
        if (!tni_json_f64(&c->j, &v)) return c->j.status;
        if (n < 4) rec->a.box[n] = v;
        n++;
    }
    JSON_TRY(c);
    if (n == 4) rec->a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYWH);
    if (n != 4 && n != 0)
        (void)tni_json_fail(&c->j, at,
                            "a bbox has %zu numbers, expected 4: left, top, "
                            "width, height",
                            n);
    return c->j.status;
}

static tn_status read_crowd(coco *c, record *rec)
{
    bool yes = false;
    if (tni_json_peek(&c->j) == '0') {
        double v = 0.0;
        (void)!tni_json_f64(&c->j, &v);
        yes = v != 0.0;
    } else {
        (void)!tni_json_bool(&c->j, &yes);
    }
    rec->a.flags |= TN_SAYS_CROWD | (yes ? (uint32_t)TN_IS_CROWD : 0u);
    return c->j.status;
}

static tn_status find_image(coco *c, record *rec, tni_span key)
{
    uint8_t kind = 0;
    int64_t id = 0;
    (void)tni_json_peek(&c->j);
    const char *begin = c->j.p;
    TN_TRY(tni_coco_read_id(c, &kind, &id));
    rec->image_member.p = key.p - 1;
    rec->image_member.len = (size_t)(c->j.p - key.p) + 1;
    rec->a.image = tni_idmap_find(&c->images, kind, id);
    if (c->file->inside) rec->a.image = c->file->image;
    if (rec->a.image != TN_NONE) return TN_OK;
    if (c->ahead) return tni_coco_give_up(c);
    if (!c->results)
        return tni_note_add(
            c->d, tni_coco_here(c, begin), "orphan-image", c->err,
            "an annotation names image %.*s, which is not in "
            "the file",
            (int)(c->j.p - begin > 40 ? 40 : c->j.p - begin), begin);
    /* Results name images by id alone. */
    tni_image_row row;
    memset(&row, 0, sizeof row);
    row.name = kind == TN_ID_TEXT
                   ? (const char *)(intptr_t)id
                   : tni_keep(c->d, begin, (size_t)(c->j.p - begin));
    row.id_kind = kind;
    row.id = id;
    row.where = tni_coco_here(c, begin);
    row.splits = c->splits;
    return tni_coco_add_image(c, &row, &rec->a.image);
}

static tn_status find_class(coco *c, record *rec, tni_span key)
{
    uint8_t kind = 0;
    int64_t id = 0;
    TN_TRY(tni_coco_read_id(c, &kind, &id));
    rec->class_member.p = key.p - 1;
    rec->class_member.len = (size_t)(c->j.p - key.p) + 1;
    return tni_coco_local_of(c, kind, id, &rec->a.class_index);
}

/* One member; *taken false when it is none of ours. */
static tn_status read_member(coco *c, record *rec, tni_span key, bool *taken)
{
    const char kind = tni_json_peek(&c->j);
    uint8_t id_kind = 0;
    *taken = true;
    switch (key.len) {
    case 2:
        if (!tni_span_is(key, "id") || kind == 'n') break;
        TN_TRY(tni_coco_read_id(c, &id_kind, &rec->a.id));
        rec->a.flags |= TNI_ID(id_kind);
        return TN_OK;
    case 4:
        if (tni_span_is(key, "bbox") && kind == '[') return read_box(c, rec);
        if (!tni_span_is(key, "area") || kind != '0') break;
        rec->area_known = tni_json_f64(&c->j, &rec->area);
        return c->j.status;
    case 5:
        if (!tni_span_is(key, "score") || kind != '0') break;
        rec->score_known = tni_json_f64(&c->j, &rec->score);
        return c->j.status;
    case 7:
        if (tni_span_is(key, "iscrowd") &&
            (kind == '0' || kind == 't' || kind == 'f'))
            return read_crowd(c, rec);
        if (!tni_span_is(key, "caption") || kind != '"') break;
        (void)!tni_json_skip(&c->j, &rec->caption);
        return c->j.status;
    case 8:
        if (!tni_span_is(key, "image_id") || kind == 'n') {
            if (!tni_span_is(key, "track_id") || kind != '0') break;
            rec->track_known = tni_json_i64(&c->j, &rec->track);
            return c->j.status;
        }
        return find_image(c, rec, key);
    case 9:
        if (tni_span_is(key, "keypoints") && kind == '[') {
            (void)!tni_json_skip(&c->j, &rec->keypoints);
            return c->j.status;
        }
        if (!tni_span_is(key, "file_name") || kind != '"') break;
        (void)!tni_json_skip(&c->j, &rec->file_name);
        return c->j.status;
    case 10:
        if (!tni_span_is(key, "attributes") || kind != '{') break;
        (void)!tni_json_skip(&c->j, &rec->attributes);
        return c->j.status;
    case 11:
        if (!tni_span_is(key, "category_id") || kind == 'n') break;
        return find_class(c, rec, key);
    case 12:
        if (!tni_span_is(key, "segmentation") || (kind != '[' && kind != '{'))
            break;
        (void)!tni_json_skip(&c->j, &rec->segmentation);
        return c->j.status;
    case 13:
        if (tni_span_is(key, "segments_info") && kind == '[') {
            (void)!tni_json_skip(&c->j, &rec->segments);
            return c->j.status;
        }
        if (!tni_span_is(key, "num_keypoints") || kind != '0') break;
        rec->n_known = tni_json_i64(&c->j, &rec->n_keypoints);
        return c->j.status;
    default: break;
    }
    *taken = false;
    (void)!tni_json_skip(&c->j, NULL);
    return c->j.status;
}

/* The members that read_member did not take, kept as they are. */
static tn_status keep_extras(coco *c, const char *begin, uint32_t ann)
{
    tni_span key, raw;
    coco probe = *c;
    tni_json j = c->j;
    j.p = begin;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        record scratch;
        bool taken = false;
        const char kind = tni_json_peek(&j);
        const bool named = tni_span_is(key, "image_id") ||
                           tni_span_is(key, "category_id") ||
                           tni_span_is(key, "id");
        if (named && kind != 'n') {
            if (!tni_json_skip(&j, NULL)) break;
            continue;
        }
        memset(&scratch, 0, sizeof scratch);
        probe.j = j;
        TN_TRY(read_member(&probe, &scratch, key, &taken));
        if (!tni_json_skip(&j, &raw)) break;
        if (!taken)
            TN_TRY(tni_set_text(c->d, ann, TN_TEXT_EXTRA,
                                tni_coco_member(key, raw), c->err));
    }
    return j.status;
}

/* A polygon list with at least one number, a mask, or an empty list. */
static tn_status set_segmentation(coco *c, uint32_t ann, tni_span text)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if (text.len > UINT32_MAX) {
        (void)tni_json_fail(&c->j, text.p, "a segmentation of over 4 GiB");
        return c->j.status;
    }
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = TN_SHAPE_POLYGON;
    s.layout = TNI_LAYOUT_FLAT;
    if (text.p[0] == '{') {
        s.kind = TN_SHAPE_RLE;
        s.layout = TNI_LAYOUT_RLE;
    } else {
        size_t i = 0;
        while (i < text.len &&
               (text.p[i] == '[' || text.p[i] == ']' || text.p[i] == ' ' ||
                text.p[i] == ',' || text.p[i] == '\n' || text.p[i] == '\r' ||
                text.p[i] == '\t'))
            i++;
        if (i == text.len) {
            *tni_flags_at(c->d, ann) |= TN_EMPTY_SHAPE;
            return TN_OK;
        }
    }
    return tni_set_shape(c->d, ann, &s, c->err);
}

static tn_status set_keypoints(coco *c, uint32_t ann, const record *rec)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    s.text = rec->keypoints.p;
    s.len = (uint32_t)rec->keypoints.len;
    s.kind = TN_SHAPE_POINTS;
    s.dims = 3;
    TN_TRY(tni_set_keypoints(c->d, ann, &s, c->err));
    if (!rec->n_known) return TN_OK;
    tn_shape points = TN_SHAPE_INIT;
    tn_err why;
    memset(&why, 0, sizeof why);
    int64_t n = 0;
    const tn_status status = tni_shape_read(&points, &s, 1.0, 1.0, &why);
    for (size_t i = 0; status == TN_OK && i < points.n_points; i++)
        if (points.visible[i] > 0) n++;
    tn_shape_fini(&points);
    if (status != TN_OK) {
        (void)tni_json_fail(&c->j, rec->keypoints.p, "%.150s", why.message);
        return c->j.status;
    }
    if (n == rec->n_keypoints) return TN_OK;
    return tni_note_add(c->d, tni_coco_here(c, rec->keypoints.p),
                        "keypoint-count", c->err,
                        "num_keypoints is %lld, but %lld have a visibility "
                        "above 0",
                        (long long)rec->n_keypoints, (long long)n);
}

/* Adds the annotation and everything it has. */
static tn_status add_record(coco *c, record *rec)
{
    tn_dataset *d = c->d;
    uint32_t ann = TN_NONE;
    const uint32_t local = rec->a.class_index;
    if (local == TN_NONE && rec->caption.p == NULL)
        TN_TRY(tni_note_add(d, rec->a.where, "no-class", c->err,
                            "an annotation has no category_id"));
    if ((rec->a.flags & TN_HAS_BOX) == 0 && rec->segmentation.p == NULL &&
        rec->keypoints.p == NULL && rec->caption.p == NULL && local != TN_NONE)
        rec->a.flags |= TN_IS_TAG;
    rec->a.class_index = TN_NONE;
    TN_TRY(tni_add_annotation(d, &rec->a, &ann, c->err));
    tni_ann_at(d, ann)->class_index = local;
    if (rec->segmentation.p != NULL)
        TN_TRY(set_segmentation(c, ann, rec->segmentation));
    if (rec->keypoints.p != NULL) TN_TRY(set_keypoints(c, ann, rec));
    const bool plain = (rec->a.flags & TN_HAS_BOX) != 0 &&
                       rec->area == rec->a.box[2] * rec->a.box[3];
    if (rec->area_known && !plain)
        TN_TRY(tni_set_num(d, ann, TN_NUM_AREA, rec->area, c->err));
    if (rec->score_known)
        TN_TRY(tni_set_num(d, ann, TN_NUM_SCORE, rec->score, c->err));
    if (rec->track_known)
        TN_TRY(tni_set_num(d, ann, TN_NUM_TRACK, (double)rec->track, c->err));
    if (rec->caption.p != NULL)
        TN_TRY(tni_set_text(d, ann, TN_TEXT_CAPTION, rec->caption, c->err));
    if (rec->attributes.p != NULL)
        TN_TRY(
            tni_set_text(d, ann, TN_TEXT_ATTRIBUTES, rec->attributes, c->err));
    if (rec->a.image == TN_NONE && rec->image_member.p != NULL)
        TN_TRY(tni_set_text(d, ann, TN_TEXT_EXTRA, rec->image_member, c->err));
    return rec->extras ? keep_extras(c, rec->begin, ann) : TN_OK;
}

/* Panoptic: every segment is an annotation; its mask is one value of a PNG. */
static tn_status read_segments(coco *c, const record *whole)
{
    const tni_json saved = c->j;
    tn_status status = TN_OK;
    const uint32_t first = c->d->anns.n;
    c->segments = true;
    c->j.p = whole->segments.p;
    c->j.fresh = false;
    if (tni_json_enter(&c->j, '['))
        while (status == TN_OK && tni_json_item(&c->j))
            status = tni_coco_read_annotation(c);
    if (status == TN_OK) status = c->j.status;
    if (status != TN_OK) return status;
    c->j = saved;
    const char *name = NULL;
    if (whole->file_name.p != NULL) {
        tni_span inner = {whole->file_name.p + 1, whole->file_name.len - 2};
        name = tni_keep_json(c->d, inner,
                             memchr(inner.p, '\\', inner.len) != NULL);
        if (name == NULL) return tni_coco_no_memory(c->err);
    }
    const uint32_t end = c->d->anns.n;
    for (uint32_t i = first; i < end; i++) {
        tni_ann_at(c->d, i)->image = whole->a.image;
        *tni_flags_at(c->d, i) &= ~(uint32_t)TN_IS_TAG;
    }
    bool done = name == NULL || first == end;
    if (!done && c->file->masks != NULL)
        TN_TRY(tni_panoptic_read(c->r, c->file->masks, name, whole->a.image,
                                 first, &done, c->err));
    for (uint32_t i = first; i < end && !done; i++) {
        tni_shape s;
        memset(&s, 0, sizeof s);
        s.text = name;
        s.len = (uint32_t)strlen(name);
        s.kind = TN_SHAPE_MASK_FILE;
        s.layout = TNI_LAYOUT_NAME;
        TN_TRY(tni_set_shape(c->d, i, &s, c->err));
    }
    if (first == c->d->anns.n && whole->a.image != TN_NONE)
        tni_image_at(c->d, whole->a.image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

tn_status tni_coco_read_record(coco *c, record *rec)
{
    tni_span key;
    memset(rec, 0, sizeof *rec);
    rec->a.image = rec->a.class_index = TN_NONE;
    (void)tni_json_peek(&c->j);
    rec->begin = c->j.p;
    rec->a.where = tni_coco_here(c, c->j.p);
    if (tni_json_enter(&c->j, '{'))
        while (tni_json_key(&c->j, &key)) {
            bool taken = true;
            TN_TRY(read_member(c, rec, key, &taken));
            rec->extras = rec->extras || !taken;
        }
    rec->end = c->j.p;
    return c->j.status;
}

tn_status tni_coco_take_record(coco *c, record *rec)
{
    if (c->file->inside) rec->a.image = c->file->image;
    if ((++c->n_since & 1023) == 0 && !c->file->inside)
        TN_TRY(tni_reader_progress(c->r, (uint64_t)(c->j.p - c->j.start),
                                   (uint64_t)(c->j.end - c->j.start), c->err));
    if (rec->segments.p != NULL && rec->extras)
        TN_TRY(tni_note_add(c->d, rec->a.where, "panoptic-field", c->err,
                            "a list of segments has fields besides image, file "
                            "and segments: they are left out"));
    if (rec->segments.p != NULL) return read_segments(c, rec);
    return add_record(c, rec);
}

tn_status tni_coco_read_annotation(coco *c)
{
    record rec;
    TN_TRY(tni_coco_read_record(c, &rec));
    return tni_coco_take_record(c, &rec);
}
