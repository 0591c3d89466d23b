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

enum { DW_BLOCK = 2 * VW, DW_MOST = 4 };

/* The window, and how many pixels are computed together: all are known when
 * this is compiled, but for the last kind. */
typedef struct dw_kind {
    size_t rows, columns, stride, pixels;
    bool x_signed;
} dw_kind;

/* Adds column j of a strip to the pixels it is a tap of; n channels. */
TN_INLINE void dw_column(vi *lo, vi *hi, const uint8_t *const *at,
                         const int32_t *w, size_t c, const size_t n,
                         const size_t j, const dw_kind k)
{
    const size_t pairs = (k.rows + 1) / 2;
    for (size_t i = 0; i < pairs; i++) {
        const uint8_t *p = at[2 * i] + c;
        const uint8_t *q = 2 * i + 1 < k.rows ? at[2 * i + 1] + c : p;
        const vs a = n == DW_BLOCK ? vs_load(p, k.x_signed)
                                   : vs_load_n(p, n, k.x_signed);
        const vs b = n == DW_BLOCK ? vs_load(q, k.x_signed)
                                   : vs_load_n(q, n, k.x_signed);
        const vs zip_lo = vs_zip_lo(a, b), zip_hi = vs_zip_hi(a, b);
        for (size_t x = 0; x < k.pixels; x++) {
            const size_t tap = j - x * k.stride; /* wraps to no tap */
            if (tap >= k.columns) continue;
            const int32_t *of = w + (tap * pairs + i) * DW_BLOCK;
            lo[x] = vi_madd(lo[x], zip_lo, vi_loadu(of));
            hi[x] = vi_madd(hi[x], zip_hi, vi_loadu(of + VW));
        }
    }
}

TN_INLINE void dw_store(const tni_qdwconv_tile *t, uint8_t *y, size_t c,
                        const size_t n, vi lo, vi hi)
{
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

/* k.pixels neighbours of a block; n channels of it, or all when n is DW_BLOCK.
 * Each column is written down: then the sums stay in registers. */
TN_INLINE void dw_strip(const tni_qdwconv_tile *t, const uint8_t *const *at,
                        uint8_t *y, size_t c, const size_t n, const dw_kind k)
{
    const int32_t *w = (const int32_t *)(const void *)(t->w) +
                       c * ((k.rows + 1) / 2) * k.columns;
    const size_t across = (k.pixels - 1) * k.stride + k.columns;
    vi lo[DW_MOST], hi[DW_MOST];
    for (size_t x = 0; x < k.pixels; x++) {
        lo[x] = vi_loadu(t->bias + c);
        hi[x] = vi_loadu(t->bias + c + VW);
    }
    if (k.pixels == 1) {
        for (size_t j = 0; j < k.columns; j++)
            dw_column(lo, hi, at + j * t->dilation * k.rows, w, c, n, j, k);
    } else {
        dw_column(lo, hi, at, w, c, n, 0, k);
        dw_column(lo, hi, at + k.rows, w, c, n, 1, k);
        dw_column(lo, hi, at + 2 * k.rows, w, c, n, 2, k);
        dw_column(lo, hi, at + 3 * k.rows, w, c, n, 3, k);
        dw_column(lo, hi, at + 4 * k.rows, w, c, n, 4, k);
        if (across > 5) dw_column(lo, hi, at + 5 * k.rows, w, c, n, 5, k);
    }
    for (size_t x = 0; x < k.pixels; x++)
        dw_store(t, y + x * t->channels, c, n, lo[x], hi[x]);
}

TN_INLINE void dw_tile(const tni_qdwconv_tile *all, const dw_kind k)
{
    const tni_qdwconv_tile t = *all; /* which y cannot overlap */
    const dw_kind one = {t.rows, t.columns, t.stride, 1, t.x_signed};
    const size_t step = t.stride * t.rows;
    size_t c = 0;
    for (; c + DW_BLOCK <= t.channels; c += DW_BLOCK) {
        size_t p = 0;
        for (; p + k.pixels <= t.pixels; p += k.pixels)
            dw_strip(&t, t.at + p * step, t.y + p * t.channels, c, DW_BLOCK, k);
        for (; p < t.pixels; p++)
            dw_strip(&t, t.at + p * step, t.y + p * t.channels, c, DW_BLOCK,
                     one);
    }
    if (c == t.channels) return;
    for (size_t p = 0; p < t.pixels; p++)
        dw_strip(&t, t.at + p * step, t.y + p * t.channels, c, t.channels - c,
                 one);
}

/* The windows of most networks have code of their own. */
TN_INLINE void dw_choose(const tni_qdwconv_tile *t, const bool x_signed)
{
    const bool square = t->rows == t->columns && t->dilation == 1;
    if (square && t->rows == 3 && t->stride == 1)
        dw_tile(t, (dw_kind){3, 3, 1, 4, x_signed});
    else if (square && t->rows == 3 && t->stride == 2)
        dw_tile(t, (dw_kind){3, 3, 2, 2, x_signed});
    else if (square && t->rows == 5 && t->stride == 1)
        dw_tile(t, (dw_kind){5, 5, 1, 2, x_signed});
    else
        dw_tile(t, (dw_kind){t->rows, t->columns, t->stride, 1, x_signed});
}

void QDWCONV_NAME(const tni_qdwconv_tile *t)
{
    if (t->x_signed)
        dw_choose(t, true);
    else
        dw_choose(t, false);
}
