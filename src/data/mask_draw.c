/* SPDX-License-Identifier: Apache-2.0 */
/* mask_draw.c - outlines and masks of annotations as pixels */
#include "data/mask_draw.h"

#include "data/rle.h"

tn_status tni_canvas_new(tni_canvas *c, const tn_dataset *d, uint32_t image,
                         tni_arena *arena, tn_err *err)
{
    double w = 0.0, h = 0.0;
    const bool known = tni_image_extent(d, image, &w, &h);
    if (!known || !(w * h <= (double)d->limits.max_image_pixels))
        return tni_fail(err, TN_ELIMIT,
                        "image '%.100s' of %.0f x %.0f pixels has masks, which "
                        "cannot be drawn: its size is not known, or too large",
                        tni_image_at(d, image)->name, w, h);
    c->w = (uint32_t)w;
    c->h = (uint32_t)h;
    c->pixels = tni_arena_alloc(arena, (size_t)c->w * c->h, 1);
    c->part = tni_arena_alloc(arena, (size_t)c->w * c->h, 1);
    return c->pixels != NULL && c->part != NULL
               ? TN_OK
               : tni_fail(err, TN_ENOMEM, "out of memory");
}

bool tni_has_pixels(const tn_dataset *d, uint32_t ann)
{
    const tn_shape_kind kind = tn_dataset_shape_kind(d, ann);
    return kind == TN_SHAPE_RLE || kind == TN_SHAPE_POLYGON;
}

static tn_status draw_rings(tni_canvas *c, const tn_shape *s, tni_arena *arena,
                            tn_err *err)
{
    const size_t n = (size_t)c->w * c->h;
    for (size_t k = 0; k < s->n_rings; k++) {
        const size_t from = k > 0 ? s->ring_ends[k - 1] : 0;
        tni_rle rle;
        const tni_arena_mark mark = tni_arena_save(arena);
        TN_TRY(tni_rle_from_polygon(&rle, arena, c->h, c->w, s->xy + 2 * from,
                                    s->ring_ends[k] - from, err));
        tni_rle_to_mask(&rle, c->part, 1, c->w);
        tni_arena_rewind(arena, mark);
        for (size_t i = 0; i < n; i++)
            if (c->part[i] != 0) c->pixels[i] = s->ring_holes[k] == 0;
    }
    return TN_OK;
}

tn_status tni_canvas_draw(tni_canvas *c, const tn_dataset *d, uint32_t ann,
                          tn_shape *scratch, tni_arena *arena, tn_err *err)
{
    TN_TRY(tn_dataset_shape(d, ann, scratch, err));
    memset(c->pixels, 0, (size_t)c->w * c->h);
    if (scratch->kind == TN_SHAPE_POLYGON)
        return draw_rings(c, scratch, arena, err);
    const uint32_t image = *TNI_ROW(&d->ann_image, uint32_t, ann);
    if (scratch->width != c->w || scratch->height != c->h)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "image '%.100s' of %u x %u pixels has a mask of %lld x "
                        "%lld; it cannot be drawn",
                        tni_image_at(d, image)->name, (unsigned)c->w,
                        (unsigned)c->h, (long long)scratch->width,
                        (long long)scratch->height);
    const tni_rle rle = {c->h, c->w, scratch->n_runs, scratch->runs};
    TN_TRY(tni_rle_check(&rle, err));
    tni_rle_to_mask(&rle, c->pixels, 1, c->w);
    return TN_OK;
}
