/* SPDX-License-Identifier: Apache-2.0 */
/* patch.c - masks that formats keep as the pixels of a part of the image */
#include "data/formats/jsonfile.h"

enum { MAX_SIDE = 1 << 20, MAX_PIXELS = 1 << 28 };

tn_status tni_patch_put(tni_out *o, const tni_patch *p, int64_t width,
                        int64_t height, tn_err *err)
{
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE ||
        p->x < 0 || p->y < 0 || p->w < 0 || p->h < 0 || p->x > width ||
        p->y > height || p->w > width - p->x || p->h > height - p->y)
        return tni_fail(err, TN_EFORMAT,
                        "a mask of %lld x %lld pixels at %lld, %lld leaves its "
                        "image of %lld x %lld",
                        (long long)p->w, (long long)p->h, (long long)p->x,
                        (long long)p->y, (long long)width, (long long)height);
    int64_t run = 0;
    bool on = false, any = false;
    tni_out_str(o, "{\"counts\": [");
    for (int64_t x = 0; x < p->w; x++) {
        /* Rows outside the patch, and columns before it, are off. */
        int64_t off = x == 0 ? p->x * height + p->y : height - p->h;
        for (int64_t y = 0; y < p->h; y++) {
            const bool now = p->pixels[y * p->w + x] != 0;
            if (off > 0 && on) {
                tni_out_str(o, any ? ", " : "");
                tni_out_i64(o, run);
                any = true;
                run = 0;
                on = false;
            }
            run += off;
            off = 0;
            if (now != on) {
                tni_out_str(o, any ? ", " : "");
                tni_out_i64(o, run);
                any = true;
                run = 0;
                on = now;
            }
            run++;
        }
    }
    /* What is left behind the last column. */
    const int64_t behind =
        p->w > 0 && p->h > 0
            ? (width - p->x - p->w) * height + height - p->y - p->h
            : width * height;
    if (on && behind > 0) {
        tni_out_str(o, any ? ", " : "");
        tni_out_i64(o, run);
        any = true;
        run = 0;
    }
    run += behind;
    if (run > 0) {
        tni_out_str(o, any ? ", " : "");
        tni_out_i64(o, run);
    }
    tni_out_str(o, "], \"size\": [");
    tni_out_i64(o, height);
    tni_out_str(o, ", ");
    tni_out_i64(o, width);
    tni_out_str(o, "]}");
    return o->status;
}

tn_status tni_patch_of(tni_patch *p, const tn_shape *s, tni_arena *arena,
                       tn_err *err)
{
    int64_t at = 0, x1 = s->width, x2 = -1, y1 = s->height, y2 = -1;
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < s->n_runs; i++) {
        const int64_t to = at + s->runs[i];
        if (i % 2 == 1 && to > at) {
            const int64_t c1 = at / s->height, c2 = (to - 1) / s->height;
            const int64_t r1 = c1 != c2 ? 0 : at % s->height;
            const int64_t r2 = c1 != c2 ? s->height - 1 : (to - 1) % s->height;
            if (c1 < x1) x1 = c1;
            if (c2 > x2) x2 = c2;
            if (r1 < y1) y1 = r1;
            if (r2 > y2) y2 = r2;
        }
        at = to;
    }
    if (x2 < 0) return TN_OK;
    p->x = x1;
    p->y = y1;
    p->w = x2 - x1 + 1;
    p->h = y2 - y1 + 1;
    if (p->w * p->h > MAX_PIXELS)
        return tni_fail(err, TN_ELIMIT, "a mask of %lld x %lld pixels",
                        (long long)p->w, (long long)p->h);
    p->pixels = tni_arena_zalloc(arena, (size_t)(p->w * p->h), 1);
    if (p->pixels == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    at = 0;
    for (size_t i = 0; i < s->n_runs; i++) {
        const int64_t to = at + s->runs[i];
        for (int64_t k = at; i % 2 == 1 && k < to; k++)
            p->pixels[(k % s->height - y1) * p->w + k / s->height - x1] = 1;
        at = to;
    }
    return TN_OK;
}
