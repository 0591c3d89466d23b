/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label_studio_brush.c - Label Studio's runs of the bytes of an RGBA image
 *
 * A stream of bits: 32 for how many samples there are, 5 for their width less
 * one, four times 4 for the width of run lengths less one. Then runs: one bit
 * (1: the sample that follows repeats, 0: as many samples follow), two bits
 * for which of the four widths, the length less one, the samples.
 *
 * Source: github.com/thi-ng/umbrella, packages/rle-pack
 */
#include "data/formats/label_studio.h"

typedef struct bits {
    const uint8_t *bytes;
    size_t n_bits, at;
    bool cut;
} bits;

static uint32_t take(bits *b, unsigned n)
{
    uint32_t v = 0;
    if (n > b->n_bits - b->at) {
        b->cut = true;
        b->at = b->n_bits;
        return 0;
    }
    for (unsigned i = 0; i < n; i++, b->at++)
        v = v << 1 | (b->bytes[b->at / 8] >> (7 - b->at % 8) & 1u);
    return v;
}

/* The list as bytes. */
static tn_status read_bytes(bits *b, tni_json *j, tni_arena *arena, tn_err *err)
{
    size_t n = 0, k = 0;
    tni_json ahead = *j;
    memset(b, 0, sizeof *b);
    if (!tni_json_vector(&ahead, NULL, 0, &n)) return ahead.status;
    uint8_t *bytes = tni_arena_alloc(arena, n + 1, 1);
    if (bytes == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (tni_json_enter(j, '['))
        while (tni_json_item(j)) {
            int64_t v = 0;
            (void)tni_json_peek(j);
            const char *at = j->p;
            if (!tni_json_i64(j, &v)) break;
            if (v < 0 || v > 255) {
                (void)tni_json_fail(j, at,
                                    "a brush has %lld among its bytes, "
                                    "expected 0 to 255",
                                    (long long)v);
                break;
            }
            bytes[k++] = (uint8_t)v;
        }
    b->bytes = bytes;
    b->n_bits = 8 * n;
    return j->status;
}

/* Sets the pixels whose alpha is among the samples from .. to. */
static void paint(uint8_t *pixels, uint64_t from, uint64_t to)
{
    for (uint64_t a = from / 4 * 4 + 3; a < to; a += 4) pixels[a / 4] = 1;
}

static const char *read_runs(bits *b, uint8_t *pixels, uint64_t n)
{
    unsigned sizes[4];
    const unsigned word = take(b, 5) + 1;
    for (int k = 0; k < 4; k++) sizes[k] = take(b, 4) + 1;
    for (uint64_t i = 0; i < n && !b->cut;) {
        const bool same = take(b, 1) != 0;
        const uint64_t to = i + 1 + take(b, sizes[take(b, 2)]);
        if (to > n) return "has more samples than it says";
        if (same) {
            if (take(b, word) != 0) paint(pixels, i, to);
            i = to;
        }
        for (; i < to && !b->cut; i++)
            if (take(b, word) != 0) paint(pixels, i, i + 1);
    }
    return b->cut ? "ends before its last sample" : NULL;
}

tn_status tni_ls_brush_read(tni_patch *p, tni_json *j, int64_t width,
                            int64_t height, tni_arena *arena, tn_err *err)
{
    bits b;
    (void)tni_json_peek(j);
    const char *at = j->p, *wrong = NULL;
    memset(p, 0, sizeof *p);
    TN_TRY(read_bytes(&b, j, arena, err));
    const uint64_t n = take(&b, 32);
    if (n != 4 * (uint64_t)width * (uint64_t)height) {
        (void)tni_json_fail(j, at,
                            "a brush has %llu samples, expected %llu: four of "
                            "each of %lld x %lld pixels",
                            (unsigned long long)n,
                            (unsigned long long)width * 4 *
                                (unsigned long long)height,
                            (long long)width, (long long)height);
        return j->status;
    }
    p->w = width;
    p->h = height;
    p->pixels = tni_arena_zalloc(arena, (size_t)(width * height), 1);
    if (p->pixels == NULL)
        return tni_fail(err, TN_ENOMEM,
                        "out of memory, or over the dataset's memory limit");
    wrong = read_runs(&b, p->pixels, n);
    if (wrong != NULL) (void)tni_json_fail(j, at, "a brush %s", wrong);
    return j->status;
}

/* --- writing ----------------------------------------------------------------- */

typedef struct packer {
    tni_out *o;
    uint32_t bits;
    unsigned n;
    bool any;
} packer;

static void give(packer *p, uint32_t v, unsigned n)
{
    while (n-- > 0) {
        p->bits = p->bits << 1 | (v >> n & 1u);
        if (++p->n < 8) continue;
        tni_out_str(p->o, p->any ? ", " : "");
        tni_out_i64(p->o, p->bits);
        p->any = true;
        p->bits = 0;
        p->n = 0;
    }
}

/* A run of samples of one value, in pieces that have a length. */
static void give_run(packer *p, uint64_t samples, uint32_t value)
{
    static const unsigned sizes[4] = {3, 4, 8, 16};
    while (samples > 0) {
        const uint64_t now = samples < 65536 ? samples : 65536;
        uint32_t k = 0;
        while (now > UINT64_C(1) << sizes[k]) k++;
        give(p, 1, 1);
        give(p, k, 2);
        give(p, (uint32_t)(now - 1), sizes[k]);
        give(p, value, 8);
        samples -= now;
    }
}

tn_status tni_ls_brush_write(tni_out *o, const tn_shape *runs, tni_arena *arena,
                             tn_err *err)
{
    tni_patch patch;
    packer p;
    const uint64_t w = (uint64_t)runs->width, h = (uint64_t)runs->height;
    memset(&p, 0, sizeof p);
    p.o = o;
    if (w * h >= UINT64_C(1) << 30)
        return tni_fail(err, TN_ELIMIT,
                        "a mask of %llu x %llu pixels has more samples than "
                        "Label Studio can count",
                        (unsigned long long)w, (unsigned long long)h);
    TN_TRY(tni_patch_of(&patch, runs, arena, err));
    tni_out_str(o, "[");
    give(&p, (uint32_t)(4 * w * h), 32);
    give(&p, 7, 5);
    give(&p, 2, 4);
    give(&p, 3, 4);
    give(&p, 7, 4);
    give(&p, 15, 4);
    uint64_t run = (uint64_t)patch.y * w;
    bool on = false;
    for (int64_t y = 0; y < patch.h; y++) {
        run += (uint64_t)patch.x;
        for (int64_t x = 0; x < patch.w; x++, run++) {
            const bool now = patch.pixels[y * patch.w + x] != 0;
            if (now == on) continue;
            give_run(&p, 4 * run, on ? 255 : 0);
            run = 0;
            on = now;
        }
        const uint64_t right = w - (uint64_t)(patch.x + patch.w);
        if (on && (right > 0 || patch.x > 0 || y + 1 == patch.h)) {
            give_run(&p, 4 * run, 255);
            run = 0;
            on = false;
        }
        run += right;
    }
    give_run(&p, 4 * (run + (h - (uint64_t)(patch.y + patch.h)) * w), 0);
    if (p.n > 0) give(&p, 0, 8 - p.n);
    tni_out_str(o, "]");
    return o->status;
}
