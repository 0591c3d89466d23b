/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdwconv_tmpl.h - depthwise 8-bit convolution, once for every vector width
 *
 * Included inside a target region after a simd_<isa>.h, with
 *     vs            a vector of 2 VW words
 *     vs_load(p, x_signed), vs_load_n(p, n, x_signed)   bytes as words
 *     vs_zip_lo(a, b), vs_zip_hi(a, b)   words of a and b in turns
 *     vi_madd(sum, v, w)   adds the products of neighbouring words
 *     vb_store(y, lo, hi), vb_store_n(y, n, lo, hi)   the halves as bytes
 */

enum { DW_BLOCK = 2 * VW };

/* One pixel of a block; n channels of it, or all when n is DW_BLOCK. */
TN_INLINE void dw_pixel(const tni_qdwconv_tile *t, const uint8_t *const *tap,
                        uint8_t *y, size_t c, size_t n, const size_t pairs,
                        const bool x_signed)
{
    const int32_t *w = (const int32_t *)(const void *)(t->w + c * 2 * pairs);
    vi lo = vi_loadu(t->bias + c), hi = vi_loadu(t->bias + c + VW);
    for (size_t i = 0; i < pairs; i++) {
        const uint8_t *p = tap[2 * i] + c, *q = tap[2 * i + 1] + c;
        const vs a =
            n == DW_BLOCK ? vs_load(p, x_signed) : vs_load_n(p, n, x_signed);
        const vs b =
            n == DW_BLOCK ? vs_load(q, x_signed) : vs_load_n(q, n, x_signed);
        lo = vi_madd(lo, vs_zip_lo(a, b), vi_loadu(w));
        hi = vi_madd(hi, vs_zip_hi(a, b), vi_loadu(w + VW));
        w += DW_BLOCK;
    }
    const vf least = v_set1(t->lo), most = v_set1(t->hi);
    const vi zero = vi_set1(t->zero);
    const vf f = v_mul(vi_float(lo), v_load(t->scale + c));
    const vf g = v_mul(vi_float(hi), v_load(t->scale + c + VW));
    lo = vi_add(v_toint(v_min(v_max(f, least), most)), zero);
    hi = vi_add(v_toint(v_min(v_max(g, least), most)), zero);
    if (n == DW_BLOCK)
        vb_store(y + c, lo, hi);
    else
        vb_store_n(y + c, n, lo, hi);
}

TN_INLINE void dw_tile(const tni_qdwconv_tile *all, const size_t pairs,
                       const bool x_signed)
{
    const tni_qdwconv_tile t = *all; /* which y cannot overlap */
    size_t c = 0;
    for (; c + DW_BLOCK <= t.channels; c += DW_BLOCK)
        for (size_t p = 0; p < t.pixels; p++)
            dw_pixel(&t, t.tap + p * 2 * pairs, t.y + p * t.channels, c,
                     DW_BLOCK, pairs, x_signed);
    if (c == t.channels) return;
    for (size_t p = 0; p < t.pixels; p++)
        dw_pixel(&t, t.tap + p * 2 * pairs, t.y + p * t.channels, c,
                 t.channels - c, pairs, x_signed);
}

/* The nine taps of most networks have code of their own. */
enum { DW_NINE = 5 };

void QDWCONV_NAME(const tni_qdwconv_tile *t)
{
    if (t->x_signed)
        dw_tile(t, t->pairs, true);
    else if (t->pairs == DW_NINE)
        dw_tile(t, DW_NINE, false);
    else
        dw_tile(t, t->pairs, false);
}
