/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coco_panoptic.c - the PNG of panoptic segmentation
 *
 * A pixel of colour (R, G, B) belongs to segment R + 256 G + 65536 B of its
 * image; 0 is void. Segments cannot overlap: where masks do, a pixel is of the
 * one drawn last, and one that others cover wholly is no segment.
 *
 * Source: cocodataset.org/#format-data (4. Panoptic segmentation);
 *         github.com/cocodataset/panopticapi
 */
#include "data/formats/coco.h"

#include "data/mask_draw.h"
#include "data/rle.h"
#include "data/tar.h"
#include "tenon/image.h"

#include <stdio.h>

enum { MAX_ID = 0xffffff };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- reading --------------------------------------------------------------- */

/* One segment while the pixels are counted, column by column. */
typedef struct segment {
    uint32_t *runs;
    size_t n, cap; /* cap: as the first pass counted */
    uint64_t end;  /* behind its last pixel */
} segment;

typedef struct png {
    tni_reader *r;
    tn_err *err;
    tni_arena temp;
    const uint8_t *pixels;
    size_t stride;
    uint32_t w, h, first, n_segments;
    tni_idmap ids;
    segment *segments;
    uint64_t where;
} png;

static uint32_t id_at(const png *p, uint64_t at)
{
    const uint8_t *c = p->pixels + at % p->h * p->stride + at / p->h * 3;
    return c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16;
}

/* The stretch of one value from `at` on; the segment it is of, TN_NONE: void
 * or nobody's. */
static uint64_t stretch(png *p, uint64_t at, uint32_t *id, uint32_t *segment_of)
{
    const uint64_t all = (uint64_t)p->w * p->h;
    *id = id_at(p, at);
    *segment_of = *id != 0 ? tni_idmap_find(&p->ids, TN_ID_INT, *id) : TN_NONE;
    for (at++; at < all && id_at(p, at) == *id;) at++;
    return at;
}

static tn_status count_runs(png *p)
{
    const uint64_t all = (uint64_t)p->w * p->h;
    uint64_t others = 0;
    uint32_t id = 0, s = 0, other = 0;
    for (uint64_t at = 0; at < all;) {
        const uint64_t end = stretch(p, at, &id, &s);
        if (s != TN_NONE) p->segments[s].cap += 2;
        if (s == TN_NONE && id != 0) {
            other = id;
            others += end - at;
        }
        at = end;
    }
    for (uint32_t i = 0; i < p->n_segments; i++) {
        p->segments[i].runs =
            TNI_NEW_ARRAY(&p->temp, uint32_t, p->segments[i].cap + 1);
        if (p->segments[i].runs == NULL) return no_memory(p->err);
    }
    if (others == 0) return TN_OK;
    return tni_note_add(p->r->d, p->where, "unknown-segment", p->err,
                        "%llu pixels of a panoptic PNG have value %u or others "
                        "that no segment has: they belong to none",
                        (unsigned long long)others, (unsigned)other);
}

static void fill_runs(png *p)
{
    const uint64_t all = (uint64_t)p->w * p->h;
    uint32_t id = 0, s = 0;
    for (uint64_t at = 0; at < all;) {
        const uint64_t end = stretch(p, at, &id, &s);
        if (s != TN_NONE) {
            segment *g = &p->segments[s];
            g->runs[g->n++] = (uint32_t)(at - g->end);
            g->runs[g->n++] = (uint32_t)(end - at);
            g->end = end;
        }
        at = end;
    }
    for (uint32_t i = 0; i < p->n_segments; i++) {
        segment *g = &p->segments[i];
        if (g->end < all) g->runs[g->n++] = (uint32_t)(all - g->end);
    }
}

static tn_status set_mask(png *p, uint32_t ann, const segment *g)
{
    const tni_rle rle = {p->h, p->w, g->n, g->runs};
    const char *counts = NULL;
    char head[64];
    size_t len = 0, used = 0;
    tni_shape s;
    TN_TRY(tni_rle_encode(&counts, &len, &p->temp, &rle, p->err));
    /* A backslash is one of the 64 characters. */
    char *text = tni_arena_alloc(&p->r->d->arena, 2 * len + 80, 1);
    if (text == NULL) return no_memory(p->err);
    memcpy(text, "{\"counts\": \"", 12);
    used = 12;
    for (size_t i = 0; i < len; i++) {
        if (counts[i] == '\\') text[used++] = '\\';
        text[used++] = counts[i];
    }
    const int n = snprintf(head, sizeof head, "\", \"size\": [%u, %u]}",
                           (unsigned)p->h, (unsigned)p->w);
    memcpy(text + used, head, (size_t)n + 1);
    used += (size_t)n;
    if (used > UINT32_MAX)
        return tni_fail(p->err, TN_ELIMIT, "a mask of over 4 GiB");
    memset(&s, 0, sizeof s);
    s.text = text;
    s.len = (uint32_t)used;
    s.kind = TN_SHAPE_RLE;
    s.layout = TNI_LAYOUT_RLE;
    return tni_set_shape(p->r->d, ann, &s, p->err);
}

static tn_status find_ids(png *p)
{
    tn_dataset *d = p->r->d;
    tni_idmap_init(&p->ids, &p->temp);
    for (uint32_t i = 0; i < p->n_segments; i++) {
        tni_ann a;
        tni_ann_get(d, p->first + i, &a);
        if (tni_ann_id_kind(a.flags) != TN_ID_INT || a.id < 1 || a.id > MAX_ID)
            return tni_fail(p->err, TN_EFORMAT,
                            "a segment has no id of 1 to 16777215, which its "
                            "pixels could have");
        if (tni_idmap_find(&p->ids, TN_ID_INT, a.id) != TN_NONE)
            TN_TRY(tni_note_add(d, a.where, "duplicate-segment", p->err,
                                "two segments of an image have id %lld: the "
                                "first gets the pixels",
                                (long long)a.id));
        else if (!tni_idmap_add(&p->ids, TN_ID_INT, a.id, i))
            return no_memory(p->err);
    }
    p->segments = TNI_NEW_ARRAY(&p->temp, segment, p->n_segments + 1u);
    return p->segments != NULL ? TN_OK : no_memory(p->err);
}

static tn_status read_pixels(png *p, const char *path)
{
    tn_image *image = NULL;
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tn_image_opts o = TN_IMAGE_OPTS_INIT;
    o.form = TN_IMAGE_RGB8;
    o.limits = &p->r->d->limits;
    TN_TRY(tn_image_read(&image, path, &o, p->err));
    tn_image_get_view(image, &view);
    p->pixels = view.pixels;
    p->stride = view.stride;
    p->w = (uint32_t)view.width;
    p->h = (uint32_t)view.height;
    tn_status status = find_ids(p);
    if (status == TN_OK) status = count_runs(p);
    if (status == TN_OK) fill_runs(p);
    tn_image_free(image);
    for (uint32_t i = 0; i < p->n_segments && status == TN_OK; i++) {
        if (p->segments[i].cap == 0)
            status = tni_note_add(p->r->d, p->where, "empty-segment", p->err,
                                  "a segment has no pixel in its PNG");
        if (status == TN_OK)
            status = set_mask(p, p->first + i, &p->segments[i]);
    }
    return status;
}

/* The file in one of the folders; NULL: not there. */
static const char *find_file(tni_reader *r, const char *const *folders,
                             const char *name)
{
    if (tni_tar_unsafe(name, strlen(name)) != NULL) return NULL;
    for (; *folders != NULL; folders++) {
        const char *path = tni_join(r, *folders, name);
        if (path != NULL && tni_path_look(path).is_file) return path;
    }
    return NULL;
}

tn_status tni_panoptic_read(tni_reader *r, const char *const *folders,
                            const char *name, uint32_t image, uint32_t first,
                            bool *done, tn_err *err)
{
    png p;
    tn_image_info info = TN_IMAGE_INFO_INIT;
    double w = 0.0, h = 0.0;
    memset(&p, 0, sizeof p);
    const tni_arena_mark mark = tni_arena_save(&r->scratch);
    const char *path = find_file(r, folders, name);
    p.where = tni_ann_at(r->d, first)->where;
    *done = false;
    if (path == NULL) {
        tni_arena_rewind(&r->scratch, mark);
        return tni_note_add(r->d, p.where, "mask-not-found", err,
                            "the panoptic PNG '%.150s' is not where it is "
                            "looked for: in a folder named like the JSON file",
                            name);
    }
    p.r = r;
    p.err = err;
    p.first = first;
    p.n_segments = r->d->anns.n - first;
    tni_arena_init(&p.temp, &r->d->mem, 1 << 14);
    tn_status status =
        tn_image_info_read(&info, path, TN_IMAGE_HEAD_ONLY, &r->d->limits, err);
    /* Another size is no mask of this image; nor may it be any size. */
    const bool fits = image == TN_NONE ||
                      !tni_image_extent(r->d, image, &w, &h) ||
                      ((double)info.width == w && (double)info.height == h);
    if (status == TN_OK && !fits)
        status = tni_note_add(
            r->d, p.where, "mask-size", err,
            "the panoptic PNG '%.150s' has %lld x %lld "
            "pixels, its image %.0f x %.0f: it is left a file",
            name, (long long)info.width, (long long)info.height, w, h);
    if (status == TN_OK && fits) status = read_pixels(&p, path);
    tni_arena_fini(&p.temp);
    if (status != TN_OK) tni_err_where(err, "%s", path);
    tni_arena_rewind(&r->scratch, mark);
    *done = status == TN_OK && fits;
    return status;
}

/* --- writing --------------------------------------------------------------- */

bool tni_panoptic_ids(const tn_dataset *d, const uint32_t *anns, size_t n,
                      uint32_t *ids, tni_arena *arena)
{
    tni_idmap seen;
    bool own = true;
    const tni_arena_mark mark = tni_arena_save(arena);
    tni_idmap_init(&seen, arena);
    for (size_t i = 0; i < n && own; i++) {
        tni_ann a;
        tni_ann_get(d, anns[i], &a);
        own = tni_ann_id_kind(a.flags) == TN_ID_INT && a.id >= 1 &&
              a.id <= MAX_ID &&
              tni_idmap_find(&seen, TN_ID_INT, a.id) == TN_NONE &&
              tni_idmap_add(&seen, TN_ID_INT, a.id, 0);
        if (ids != NULL) ids[i] = (uint32_t)a.id;
    }
    tni_arena_rewind(arena, mark);
    for (size_t i = 0; i < n && !own && ids != NULL; i++)
        ids[i] = (uint32_t)i + 1;
    return own;
}

bool tni_panoptic_ids_repeat(const tn_dataset *d)
{
    tni_mem mem;
    tni_arena arena;
    tni_idmap seen;
    bool twice = false;
    if (d->variant == NULL || strcmp(d->variant, "panoptic") != 0) return false;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    tni_idmap_init(&seen, &arena);
    for (uint32_t i = 0; i < d->anns.n && !twice; i++) {
        tni_ann a;
        tni_ann_get(d, i, &a);
        twice = tni_ann_id_kind(a.flags) == TN_ID_INT &&
                (tni_idmap_find(&seen, TN_ID_INT, a.id) != TN_NONE ||
                 !tni_idmap_add(&seen, TN_ID_INT, a.id, i));
    }
    tni_arena_fini(&arena);
    return twice;
}

/* Who has the pixels of an image. */
typedef struct owners {
    uint32_t w, h;
    uint32_t *of; /* per pixel, column by column: number of the annotation + 1;
                     0: nobody */
} owners;

/* Draws one annotation over those before. */
static void draw_one(owners *o, const tni_rle *rle, uint32_t own,
                     tni_segment *segments)
{
    tni_segment *s = &segments[own];
    size_t at = 0;
    s->pixels = 0;
    s->hidden = false;
    for (size_t k = 0; k < rle->n; at += rle->counts[k], k++) {
        if (k % 2 == 0) continue;
        const size_t end = at + rle->counts[k];
        for (size_t i = at; i < end; i++) {
            if (o->of[i] != 0) {
                segments[o->of[i] - 1].hidden = true;
                segments[o->of[i] - 1].pixels--;
            }
            o->of[i] = own + 1;
        }
        s->pixels += rle->counts[k];
    }
}

static tn_status draw_all(owners *o, const tn_dataset *d, uint32_t image,
                          const uint32_t *anns, size_t n, tni_segment *segments,
                          tni_arena *arena, tn_err *err)
{
    tn_shape scratch = TN_SHAPE_INIT;
    TN_TRY(tni_drawn_size(&o->w, &o->h, d, image, err));
    const uint32_t *order = tni_drawing_order(d, anns, n, arena);
    o->of = TNI_NEW_ARRAY(arena, uint32_t, (size_t)o->w * o->h);
    if (o->of == NULL || order == NULL) return no_memory(err);
    tn_status status = TN_OK;
    for (size_t k = 0; k < n && status == TN_OK; k++) {
        tni_rle rle;
        const tni_arena_mark mark = tni_arena_save(arena);
        status = tni_ann_runs(&rle, d, anns[order[k]], o->w, o->h, &scratch,
                              arena, err);
        if (status == TN_OK) draw_one(o, &rle, order[k], segments);
        tni_arena_rewind(arena, mark);
    }
    tn_shape_fini(&scratch);
    return status;
}

/* How many annotations of an image others cover, at least in part. What cannot
 * be drawn is an error of the writer's. */
static uint64_t count_hidden(const tn_dataset *d, uint32_t image,
                             const uint32_t *anns, size_t n, tni_arena *arena)
{
    owners o;
    uint64_t hidden = 0;
    if (n < 2) return 0;
    tni_segment *segments = TNI_NEW_ARRAY(arena, tni_segment, n);
    if (segments == NULL ||
        draw_all(&o, d, image, anns, n, segments, arena, NULL) != TN_OK)
        return 0;
    for (size_t i = 0; i < n; i++) hidden += segments[i].hidden;
    return hidden;
}

uint64_t tni_panoptic_keeps(const tn_dataset *d, uint64_t keeps,
                            uint64_t counts[TNI_F_COUNT])
{
    tni_mem mem;
    tni_arena arena;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    keeps |= TNI_KEEPS(EMPTY);
    keeps &= ~(TNI_KEEPS(POLYGON) | TNI_KEEPS(PARTS) | TNI_KEEPS(DEGENERATE) |
               TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY) | TNI_KEEPS(TAG) |
               TNI_KEEPS(CAPTION) | TNI_KEEPS(ORPHAN));
    for (uint32_t i = 0; i < d->images.n; i++) {
        size_t all = 0, n = 0;
        const uint32_t *list = tn_dataset_of_image(d, i, &all);
        const tni_arena_mark mark = tni_arena_save(&arena);
        uint32_t *with = TNI_NEW_ARRAY(&arena, uint32_t, all + 1);
        for (size_t k = 0; k < all && with != NULL; k++) {
            if (tni_has_pixels(d, list[k]))
                with[n++] = list[k];
            else if ((*tni_flags_at(d, list[k]) & TN_HAS_BOX) != 0)
                keeps &= ~TNI_KEEPS(BOX);
        }
        if (with == NULL || !tni_panoptic_ids(d, with, n, NULL, &arena))
            keeps &= ~TNI_KEEPS(ANN_ID);
        if (with != NULL)
            counts[TNI_F_MASK_OVERLAP] += count_hidden(d, i, with, n, &arena);
        tni_arena_rewind(&arena, mark);
    }
    tni_arena_fini(&arena);
    return keeps;
}

static tn_status into_target(void *ctx, const void *bytes, size_t size,
                             tn_err *err)
{
    tni_target *t = ctx;
    (void)err;
    tni_out_bytes(&t->out, bytes, size);
    return t->out.status;
}

static tn_status put_png(tni_writer *w, const owners *o, const uint8_t *rgb,
                         const char *name, tn_err *err)
{
    tn_image_view view = TN_IMAGE_VIEW_INIT;
    tni_target *t = TNI_NEW(&w->arena, tni_target);
    if (t == NULL) return no_memory(err);
    const tn_image_sink sink = {t, into_target};
    view.width = o->w;
    view.height = o->h;
    view.channels = 3;
    view.bits = 8;
    view.stride = 3 * (size_t)o->w;
    view.pixels = rgb;
    TN_TRY(tni_target_open(t, w, name, err));
    const tn_status status = tn_image_encode(&sink, "png", &view, err);
    if (status != TN_OK && t->out.status == TN_OK) t->out.status = status;
    return tni_target_close(t, err);
}

/* The colours of the segments' ids. */
static uint8_t *colours_of(const owners *o, const uint32_t *ids,
                           tni_arena *arena)
{
    uint8_t *rgb = tni_arena_array(arena, (size_t)o->w * o->h, 3, 1);
    for (size_t y = 0; y < o->h && rgb != NULL; y++)
        for (size_t x = 0; x < o->w; x++) {
            const uint32_t own = o->of[x * o->h + y];
            const uint32_t id = own != 0 ? ids[own - 1] : 0;
            uint8_t *p = rgb + 3 * (y * o->w + x);
            p[0] = (uint8_t)id;
            p[1] = (uint8_t)(id >> 8);
            p[2] = (uint8_t)(id >> 16);
        }
    return rgb;
}

tn_status tni_panoptic_write(tni_writer *w, uint32_t image,
                             const uint32_t *anns, const uint32_t *ids,
                             size_t n, const char *name, tni_segment *segments,
                             tn_err *err)
{
    owners o;
    const tni_arena_mark mark = tni_arena_save(&w->arena);
    tn_status status =
        draw_all(&o, w->d, image, anns, n, segments, &w->arena, err);
    if (status == TN_OK) {
        const uint8_t *rgb = colours_of(&o, ids, &w->arena);
        status = rgb != NULL ? put_png(w, &o, rgb, name, err) : no_memory(err);
    }
    tni_arena_rewind(&w->arena, mark);
    return status;
}
