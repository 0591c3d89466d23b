/* SPDX-License-Identifier: Apache-2.0 */
/* mask_draw.c - outlines and masks of annotations as pixels */
#include "data/mask_draw.h"

#include <stdlib.h>

tn_status tni_drawn_size(uint32_t *w_out, uint32_t *h_out, const tn_dataset *d,
                         uint32_t image, tn_err *err)
{
    double w = 0.0, h = 0.0;
    const bool known = tni_image_extent(d, image, &w, &h);
    if (!known || !(w * h <= (double)d->limits.max_image_pixels))
        return tni_fail(err, TN_ELIMIT,
                        "image '%.100s' of %.0f x %.0f pixels has masks, which "
                        "cannot be drawn: its size is not known, or too large",
                        tni_image_at(d, image)->name, w, h);
    *w_out = (uint32_t)w;
    *h_out = (uint32_t)h;
    return TN_OK;
}

tn_status tni_canvas_new(tni_canvas *c, const tn_dataset *d, uint32_t image,
                         tni_arena *arena, tn_err *err)
{
    TN_TRY(tni_drawn_size(&c->w, &c->h, d, image, err));
    c->pixels = tni_arena_alloc(arena, (size_t)c->w * c->h, 1);
    return c->pixels != NULL ? TN_OK
                             : tni_fail(err, TN_ENOMEM, "out of memory");
}

bool tni_has_pixels(const tn_dataset *d, uint32_t ann)
{
    const tn_shape_kind kind = tn_dataset_shape_kind(d, ann);
    return kind == TN_SHAPE_RLE || kind == TN_SHAPE_POLYGON;
}

/* What is 1 becomes 0, what is 0 becomes 1. */
static tn_status invert(tni_rle *rle, tni_arena *arena, tn_err *err)
{
    uint32_t *counts = TNI_NEW_ARRAY(arena, uint32_t, rle->n + 1);
    if (counts == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    const bool drop = rle->n > 0 && rle->counts[0] == 0;
    const size_t from = drop ? 1 : 0, to = drop ? 0 : 1;
    for (size_t i = from; i < rle->n; i++)
        counts[i - from + to] = rle->counts[i];
    rle->n = rle->n - from + to;
    rle->counts = counts;
    return TN_OK;
}

/* One outline after the other: each adds its pixels, holes take theirs. */
static tn_status join_rings(tni_rle *out, uint32_t w, uint32_t h,
                            const tn_shape *s, tni_arena *arena, tn_err *err)
{
    tni_rle both[2];
    for (size_t k = 0; k < s->n_rings; k++) {
        const size_t from = k > 0 ? s->ring_ends[k - 1] : 0;
        const bool hole = s->ring_holes[k] != 0;
        TN_TRY(tni_rle_from_polygon(&both[1], arena, h, w, s->xy + 2 * from,
                                    s->ring_ends[k] - from, err));
        if (hole) TN_TRY(invert(&both[1], arena, err));
        if (k > 0)
            TN_TRY(tni_rle_merge(&both[0], arena, both, 2, hole, err));
        else
            both[0] = both[1];
    }
    *out = both[0];
    return TN_OK;
}

tn_status tni_ann_runs(tni_rle *out, const tn_dataset *d, uint32_t ann,
                       uint32_t w, uint32_t h, tn_shape *scratch,
                       tni_arena *arena, tn_err *err)
{
    TN_TRY(tn_dataset_shape(d, ann, scratch, err));
    if (scratch->kind == TN_SHAPE_POLYGON && scratch->n_rings > 0)
        return join_rings(out, w, h, scratch, arena, err);
    if (scratch->kind == TN_SHAPE_POLYGON) {
        static const double nowhere[2] = {0.0, 0.0};
        return tni_rle_from_polygon(out, arena, h, w, nowhere, 1, err);
    }
    const uint32_t image = tni_ann_at(d, ann)->image;
    if (scratch->width != w || scratch->height != h)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "image '%.100s' of %u x %u pixels has a mask of %lld x "
                        "%lld; it cannot be drawn",
                        tni_image_at(d, image)->name, (unsigned)w, (unsigned)h,
                        (long long)scratch->width, (long long)scratch->height);
    *out = (tni_rle){h, w, scratch->n_runs, scratch->runs};
    return tni_rle_check(out, err);
}

tn_status tni_canvas_draw(tni_canvas *c, const tn_dataset *d, uint32_t ann,
                          tn_shape *scratch, tni_arena *arena, tn_err *err)
{
    tni_rle rle;
    const tni_arena_mark mark = tni_arena_save(arena);
    TN_TRY(tni_ann_runs(&rle, d, ann, c->w, c->h, scratch, arena, err));
    tni_rle_to_mask(&rle, c->pixels, 1, c->w);
    tni_arena_rewind(arena, mark);
    return TN_OK;
}

typedef struct layer {
    double z;
    uint32_t nth;
} layer;

static int by_z(const void *a, const void *b)
{
    const layer *x = a, *y = b;
    if (x->z < y->z) return -1;
    if (x->z > y->z) return 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

uint32_t *tni_drawing_order(const tn_dataset *d, const uint32_t *anns, size_t n,
                            tni_arena *arena)
{
    uint32_t *order = TNI_NEW_ARRAY(arena, uint32_t, n + 1);
    if (order == NULL) return NULL;
    for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
    if (d->num[TN_NUM_Z].keys.n == 0) return order;
    layer *layers =
        tni_arena_array(arena, n + 1, sizeof *layers, _Alignof(layer));
    if (layers == NULL) return NULL;
    for (size_t i = 0; i < n; i++) {
        layers[i].z = 0.0;
        layers[i].nth = (uint32_t)i;
        (void)tn_dataset_num(d, anns[i], TN_NUM_Z, &layers[i].z);
    }
    qsort(layers, n, sizeof *layers, by_z);
    for (size_t i = 0; i < n; i++) order[i] = layers[i].nth;
    return order;
}
