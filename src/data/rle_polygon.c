/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rle_polygon.c - polygons to run-length masks, as pycocotools rounds them
 *
 * The outline is walked in steps of a fifth of a pixel along the longer axis
 * of each edge. Where it crosses from one fifth-column to the next and that
 * place is the middle of a pixel column, the row (rounded up) is a place
 * where the mask flips. All flips of a column-major scan, sorted, are the
 * runs. Every rounding below is part of the definition.
 */
#include "data/rle.h"

#include <math.h>
#include <stdlib.h>

static const double scale = 5; /* steps per pixel */
enum { MAX_COORDINATE = 100000000 };
static const uint64_t max_steps = (uint64_t)1 << 28;

/* A flip at (u, v) after (u0, v0), in fifths; false when there is none. */
static bool flip_at(uint32_t *flip, int u0, int v0, int u, int v, uint32_t h,
                    uint32_t w)
{
    if (u == u0) return false;
    const double x = ((double)(u < u0 ? u : u - 1) + .5) / scale - .5;
    if (floor(x) != x || x < 0 || x > (double)w - 1) return false;
    double y = ((double)(v < v0 ? v : v0) + .5) / scale - .5;
    if (y < 0)
        y = 0;
    else if (y > h)
        y = h;
    y = ceil(y);
    *flip = (uint32_t)x * h + (uint32_t)y;
    return true;
}

/* Walks the outline; `flips` NULL only counts them. */
static size_t trace(uint32_t *flips, const int *points, size_t n, uint32_t h,
                    uint32_t w)
{
    size_t m = 0;
    int u0 = 0, v0 = 0;
    bool started = false;
    for (size_t j = 0; j < n; j++) {
        const int *from = points + 2 * j, *to = points + 2 * ((j + 1) % n);
        int xs = from[0], ys = from[1], xe = to[0], ye = to[1];
        const int dx = abs(xe - xs), dy = abs(ye - ys);
        const bool wide = dx >= dy;
        const bool back = wide ? xs > xe : ys > ye;
        if (back) {
            const int x = xs, y = ys;
            xs = xe;
            ys = ye;
            xe = x;
            ye = y;
        }
        const int len = wide ? dx : dy;
        const double slope = len == 0 ? 0
                             : wide   ? (double)(ye - ys) / dx
                                      : (double)(xe - xs) / dy;
        for (int d = 0; d <= len; d++) {
            const int t = back ? len - d : d;
            const int u = wide ? t + xs : (int)(xs + slope * t + .5);
            const int v = wide ? (int)(ys + slope * t + .5) : t + ys;
            uint32_t flip = 0;
            if (started && flip_at(&flip, u0, v0, u, v, h, w)) {
                if (flips != NULL) flips[m] = flip;
                m++;
            }
            started = true;
            u0 = u;
            v0 = v;
        }
    }
    return m;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = 0, y = 0;
    x = *(const uint32_t *)a;
    y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorted flips to runs, in place: equal ones cancel, as a run of 0 joins its
 * neighbours. `n` counts the end of the mask too. */
static size_t to_runs(uint32_t *a, size_t n)
{
    uint32_t before = 0;
    for (size_t j = 0; j < n; j++) {
        const uint32_t t = a[j];
        a[j] -= before;
        before = t;
    }
    size_t m = 1;
    for (size_t j = 1; j < n;) {
        if (a[j] > 0) {
            a[m++] = a[j++];
        } else {
            j++;
            if (j < n) a[m - 1] += a[j++];
        }
    }
    return m;
}

static tn_status to_fifths(int *points, const double *xy, size_t n, tn_err *err)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < 2 * n; i++) {
        if (!(xy[i] >= -MAX_COORDINATE && xy[i] <= MAX_COORDINATE))
            return tni_fail(err, TN_EFORMAT,
                            "coordinate %zu of the polygon is %g; expected a "
                            "number between -1e8 and 1e8",
                            i, xy[i]);
        points[i] = (int)(scale * xy[i] + .5);
    }
    for (size_t j = 0; j < n; j++) {
        const int *p = points + 2 * j, *q = points + 2 * ((j + 1) % n);
        const int dx = abs(q[0] - p[0]), dy = abs(q[1] - p[1]);
        steps += (uint64_t)(dx > dy ? dx : dy) + 1;
    }
    if (steps > max_steps)
        return tni_fail(err, TN_ELIMIT,
                        "the polygon's outline is %llu pixels long; at most "
                        "%llu are walked",
                        (unsigned long long)(steps / 5),
                        (unsigned long long)(max_steps / 5));
    return TN_OK;
}

tn_status tni_rle_from_polygon(tni_rle *out, tni_arena *arena, uint32_t h,
                               uint32_t w, const double *xy, size_t n,
                               tn_err *err)
{
    if ((uint64_t)h * w > UINT32_MAX)
        return tni_fail(err, TN_ELIMIT,
                        "a mask of %u x %u pixels; at most 2^32 - 1 can be "
                        "coded",
                        (unsigned)w, (unsigned)h);
    if (n == 0) return tni_fail(err, TN_EFORMAT, "a polygon without points");
    int *points = n > SIZE_MAX / 2 ? NULL : TNI_NEW_ARRAY(arena, int, 2 * n);
    if (points == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    TN_TRY(to_fifths(points, xy, n, err));
    size_t m = trace(NULL, points, n, h, w);
    uint32_t *flips = TNI_NEW_ARRAY(arena, uint32_t, m + 1);
    if (flips == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    m = trace(flips, points, n, h, w);
    flips[m++] = h * w;
    qsort(flips, m, sizeof flips[0], by_value);
    const tni_rle rle = {h, w, to_runs(flips, m), flips};
    *out = rle;
    return TN_OK;
}

tn_status tni_rle_from_box(tni_rle *out, tni_arena *arena, uint32_t h,
                           uint32_t w, const double box[4], tn_err *err)
{
    const double right = box[0] + box[2], bottom = box[1] + box[3];
    const double xy[8] = {box[0], box[1], box[0], bottom,
                          right,  bottom, right,  box[1]};
    return tni_rle_from_polygon(out, arena, h, w, xy, 4, err);
}
