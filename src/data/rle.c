/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rle.c - run-length masks as COCO has them
 *
 * A count is written as its difference to the one before the previous (from
 * the fourth on; the definition has i > 2, so the third stays whole), in
 * groups of five bits from the low end, each plus 48; bit 5 says that more
 * follow, and the sign is bit 4 of the last one.
 */
#include "data/rle.h"

#include <string.h>

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static tn_status check_size(uint32_t h, uint32_t w, tn_err *err)
{
    if ((uint64_t)h * w <= UINT32_MAX) return TN_OK;
    return tni_fail(err, TN_ELIMIT,
                    "a mask of %u x %u pixels; at most 2^32 - 1 can be coded",
                    (unsigned)w, (unsigned)h);
}

tn_status tni_rle_check(const tni_rle *rle, tn_err *err)
{
    TN_TRY(check_size(rle->h, rle->w, err));
    const uint64_t all = (uint64_t)rle->h * rle->w;
    uint64_t sum = 0;
    for (size_t i = 0; i < rle->n; i++) {
        sum += rle->counts[i];
        if (sum > all) break;
    }
    if (sum == all) return TN_OK;
    return tni_fail(err, TN_EFORMAT,
                    "the runs add up to %s%llu pixels; the mask has %u x %u",
                    sum > all ? "at least " : "", (unsigned long long)sum,
                    (unsigned)rle->w, (unsigned)rle->h);
}

/* One number of the text at *at, 0 to 7 groups. */
static tn_status read_count(int64_t *v, const char *text, size_t len,
                            size_t *at, tn_err *err)
{
    uint64_t bits = 0;
    for (int k = 0;; k++) {
        if (*at >= len)
            return tni_fail_at(err, TN_EFORMAT, *at,
                               "the coded mask ends inside a number");
        const int c = (unsigned char)text[*at] - 48;
        if (c < 0 || c > 63)
            return tni_fail_at(err, TN_EFORMAT, *at,
                               "character 0x%02x in a coded mask; expected "
                               "'0' to 'o'",
                               (unsigned)(unsigned char)text[*at]);
        if (k >= 8)
            return tni_fail_at(err, TN_EFORMAT, *at,
                               "a number of more than 40 bits in a coded mask");
        ++*at;
        bits |= (uint64_t)(c & 31) << 5 * k;
        if ((c & 32) != 0) continue;
        if ((c & 16) != 0) bits |= ~(uint64_t)0 << 5 * (k + 1);
        break;
    }
    /* Two's complement, spelled without leaving defined behaviour. */
    *v = bits >> 63 != 0 ? -(int64_t)~bits - 1 : (int64_t)bits;
    return TN_OK;
}

tn_status tni_rle_decode(tni_rle *out, tni_arena *arena, uint32_t h, uint32_t w,
                         const char *text, size_t len, tn_err *err)
{
    TN_TRY(check_size(h, w, err));
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += (((unsigned char)text[i] - 48) & 32) == 0;
    uint32_t *counts = TNI_NEW_ARRAY(arena, uint32_t, n != 0 ? n : 1);
    if (counts == NULL) return no_memory(err);
    size_t m = 0;
    for (size_t at = 0; at < len;) {
        const size_t from = at;
        int64_t v = 0;
        TN_TRY(read_count(&v, text, len, &at, err));
        if (m > 2) v += counts[m - 2];
        if (v < 0 || v > UINT32_MAX)
            return tni_fail_at(err, TN_EFORMAT, from,
                               "run %zu of the coded mask has a length of "
                               "%lld",
                               m, (long long)v);
        counts[m++] = (uint32_t)v;
    }
    const tni_rle rle = {h, w, m, counts};
    TN_TRY(tni_rle_check(&rle, err));
    *out = rle;
    return TN_OK;
}

tn_status tni_rle_encode(const char **text, size_t *len, tni_arena *arena,
                         const tni_rle *rle, tn_err *err)
{
    size_t n = 0;
    char *s = NULL;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            s = tni_arena_alloc(arena, n + 1, 1);
            if (s == NULL) return no_memory(err);
            n = 0;
        }
        for (size_t i = 0; i < rle->n; i++) {
            int64_t x = rle->counts[i];
            if (i > 2) x -= rle->counts[i - 2];
            for (bool more = true; more;) {
                /* x >> 5, rounding down. */
                const int64_t rest = x >= 0 ? x / 32 : -((31 - x) / 32);
                int64_t c = x - 32 * rest;
                more = (c & 16) != 0 ? rest != -1 : rest != 0;
                if (more) c |= 32;
                if (s != NULL) s[n] = (char)(c + 48);
                n++;
                x = rest;
            }
        }
    }
    s[n] = '\0';
    *text = s;
    *len = n;
    return TN_OK;
}

tn_status tni_rle_from_mask(tni_rle *out, tni_arena *arena, uint32_t h,
                            uint32_t w, const uint8_t *pixels, size_t step_x,
                            size_t step_y, tn_err *err)
{
    TN_TRY(check_size(h, w, err));
    uint32_t *counts = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            counts = TNI_NEW_ARRAY(arena, uint32_t, n);
            if (counts == NULL) return no_memory(err);
            n = 0;
        }
        uint32_t run = 0;
        bool inside = false;
        for (uint32_t x = 0; x < w; x++) {
            const uint8_t *p = pixels + x * step_x;
            for (uint32_t y = 0; y < h; y++, p += step_y) {
                if ((*p != 0) != inside) {
                    if (counts != NULL) counts[n] = run;
                    n++;
                    run = 0;
                    inside = !inside;
                }
                run++;
            }
        }
        if (counts != NULL) counts[n] = run;
        n++;
    }
    const tni_rle rle = {h, w, n, counts};
    *out = rle;
    return TN_OK;
}

void tni_rle_to_mask(const tni_rle *rle, uint8_t *pixels, size_t step_x,
                     size_t step_y)
{
    uint32_t x = 0, y = 0;
    for (size_t i = 0; i < rle->n; i++)
        for (uint32_t k = 0; k < rle->counts[i]; k++) {
            pixels[x * step_x + y * step_y] = (uint8_t)(i & 1);
            if (++y == rle->h) {
                y = 0;
                x++;
            }
        }
}

uint64_t tni_rle_area(const tni_rle *rle)
{
    uint64_t sum = 0;
    for (size_t i = 1; i < rle->n; i += 2) sum += rle->counts[i];
    return sum;
}

void tni_rle_bbox(double box[4], const tni_rle *rle)
{
    uint32_t left = rle->w, top = rle->h, right = 0, bottom = 0;
    uint64_t at = 0;
    bool any = false;
    for (size_t i = 0; i + 1 < rle->n; i += 2) {
        const uint64_t from = at + rle->counts[i];
        at = from + rle->counts[i + 1];
        if (at == from) continue;
        any = true;
        const uint32_t x0 = (uint32_t)(from / rle->h);
        const uint32_t x1 = (uint32_t)((at - 1) / rle->h);
        uint32_t y0 = (uint32_t)(from % rle->h);
        uint32_t y1 = (uint32_t)((at - 1) % rle->h);
        if (x0 < x1) { /* over a column's end: all rows */
            y0 = 0;
            y1 = rle->h - 1;
        }
        if (x0 < left) left = x0;
        if (x1 > right) right = x1;
        if (y0 < top) top = y0;
        if (y1 > bottom) bottom = y1;
    }
    box[0] = any ? left : 0;
    box[1] = any ? top : 0;
    box[2] = any ? right - left + 1 : 0;
    box[3] = any ? bottom - top + 1 : 0;
}

/* A walk over the runs of a mask. */
typedef struct walk {
    const tni_rle *rle;
    size_t next;
    uint32_t left; /* of the current run */
    bool inside;
} walk;

static walk walk_of(const tni_rle *rle)
{
    const walk w = {rle, 1, rle->n > 0 ? rle->counts[0] : 0, false};
    return w;
}

/* Takes n pixels off the current run, and the next run when it is used up. */
static void advance(walk *w, uint32_t n)
{
    w->left -= n;
    if (w->left == 0 && w->next < w->rle->n) {
        w->left = w->rle->counts[w->next++];
        w->inside = !w->inside;
    }
}

static uint32_t shorter(const walk *a, const walk *b)
{
    return a->left < b->left ? a->left : b->left;
}

static tn_status merge_two(tni_rle *out, tni_arena *arena, const tni_rle *one,
                           const tni_rle *two, bool intersect, tn_err *err)
{
    /* Every output run ends where an input run does. */
    uint32_t *counts = TNI_NEW_ARRAY(arena, uint32_t, one->n + two->n + 1);
    if (counts == NULL) return no_memory(err);
    walk a = walk_of(one), b = walk_of(two);
    size_t n = 0;
    uint32_t run = 0;
    bool inside = false;
    for (bool more = true; more;) {
        const uint32_t c = shorter(&a, &b);
        run += c;
        advance(&a, c);
        advance(&b, c);
        more = a.left != 0 || b.left != 0;
        const bool before = inside;
        inside = intersect ? a.inside && b.inside : a.inside || b.inside;
        if (inside != before || !more) {
            counts[n++] = run;
            run = 0;
        }
    }
    const tni_rle rle = {one->h, one->w, n, counts};
    *out = rle;
    return TN_OK;
}

tn_status tni_rle_merge(tni_rle *out, tni_arena *arena, const tni_rle *masks,
                        size_t n, bool intersect, tn_err *err)
{
    static const tni_rle none = {0, 0, 0, NULL};
    tni_rle all = n != 0 ? masks[0] : none;
    for (size_t i = 1; i < n; i++) {
        if (masks[i].h != all.h || masks[i].w != all.w)
            return tni_fail(err, TN_EINVAL,
                            "mask %zu has %u x %u pixels, the first %u x %u", i,
                            (unsigned)masks[i].w, (unsigned)masks[i].h,
                            (unsigned)all.w, (unsigned)all.h);
        TN_TRY(merge_two(&all, arena, &all, &masks[i], intersect, err));
    }
    *out = all;
    return TN_OK;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Whether the boxes overlap; pycocotools asks that first. */
static bool boxes_meet(const tni_rle *a, const tni_rle *b)
{
    double d[4], g[4];
    tni_rle_bbox(d, a);
    tni_rle_bbox(g, b);
    return smaller(d[0] + d[2], g[0] + g[2]) - larger(d[0], g[0]) > 0 &&
           smaller(d[1] + d[3], g[1] + g[3]) - larger(d[1], g[1]) > 0;
}

double tni_rle_iou(const tni_rle *found, const tni_rle *truth, bool crowd)
{
    if (!boxes_meet(found, truth)) return 0;
    if (found->h != truth->h || found->w != truth->w) return -1;
    walk a = walk_of(found), b = walk_of(truth);
    uint64_t both = 0, any = 0;
    for (bool more = true; more;) {
        const uint32_t c = shorter(&a, &b);
        if (a.inside && b.inside) both += c;
        if (a.inside || b.inside) any += c;
        advance(&a, c);
        advance(&b, c);
        more = a.left != 0 || b.left != 0;
    }
    if (both == 0) return 0;
    if (crowd) any = tni_rle_area(found);
    return (double)both / (double)any;
}
