/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winograd_tmpl.h - the transforms, once for every vector width
 *
 * Included inside a target region after simd/square_<isa>.h. B^T and A^T of
 * winograd.c are written out: rows of the points +p and -p share an even and
 * an odd part.
 */

/* VW columns of `channels` rows, those that are missing being zero. */
TN_INLINE void load_square(vf a[VW], const float *x, size_t cs, size_t channels,
                           size_t n)
{
    for (size_t c = 0; c < VW; c++) {
        if (c >= channels)
            a[c] = v_zero();
        else
            a[c] = n < VW ? v_load_n(x + c * cs, n) : v_load(x + c * cs);
    }
    v_square(a);
}

TN_INLINE void load_columns(float *patch, const float *x, size_t cs,
                            size_t channels, size_t n)
{
    vf a[VW];
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        load_square(a, x + i, cs, channels, VW);
        for (size_t j = 0; j < VW; j++) v_store(patch + (i + j) * VW, a[j]);
    }
    if (i == n) return;
    if (n >= VW) { /* once more, those before the last included */
        i = n - VW;
        load_square(a, x + i, cs, channels, VW);
        for (size_t j = 0; j < VW; j++) v_store(patch + (i + j) * VW, a[j]);
        return;
    }
    load_square(a, x, cs, channels, n);
    for (size_t j = 0; j < VW; j++)
        if (j < n) v_store(patch + j * VW, a[j]);
}

void TNI_FN(tni_winograd_f32_load)(float *patch, const float *x, size_t x_cs,
                                   size_t channels, size_t n)
{
    if (channels >= VW)
        load_columns(patch, x, x_cs, VW, n);
    else
        load_columns(patch, x, x_cs, channels, n);
}

/* Columns [i, i + n) of a row, n <= VW. */
TN_INLINE void store_square(const tni_winograd_row *r, size_t i, size_t n,
                            size_t channels)
{
    const vf lo = v_set1(r->lo), hi = v_set1(r->hi);
    vf a[VW];
    for (size_t j = 0; j < VW; j++)
        a[j] = j < n ? v_load(r->patch + (i + j) * VW) : v_zero();
    v_square(a);
    for (size_t c = 0; c < VW; c++) {
        if (c >= channels) continue;
        const size_t at = c * r->cs + i;
        vf v = a[c];
        if (r->add != NULL)
            v = v_add(v,
                      n < VW ? v_load_n(r->add + at, n) : v_load(r->add + at));
        if (r->clip) v = v_min(hi, v_max(lo, v));
        if (n < VW)
            v_store_n(r->y + at, v, n);
        else
            v_store(r->y + at, v);
    }
}

void TNI_FN(tni_winograd_f32_store)(const tni_winograd_row *r)
{
    size_t i = 0;
    if (r->channels >= VW) {
        for (; i + VW <= r->n; i += VW) store_square(r, i, VW, VW);
        if (i < r->n) store_square(r, i, r->n - i, VW);
        return;
    }
    for (; i < r->n; i += VW)
        store_square(r, i, r->n - i < VW ? r->n - i : VW, r->channels);
}

/* --- transforms ---------------------------------------------------------- */

enum { MAX_SIDE = 6 };

/* One column of a matrix times d[], its elements going to t[0], t[step] ... */
typedef void (*line_fn)(const vf *d, vf *t, size_t step);

/* B^T x B of every tile: columns first, then rows. */
TN_INLINE void input_tiles(const tni_winograd_tiles *t, const size_t m,
                           const line_fn line)
{
    const size_t side = m + 2;
    for (size_t i = 0; i < t->n; i++) {
        const float *s = t->patch + i * t->col_step;
        float *v = t->terms + i * t->tile_step;
        vf w[MAX_SIDE * MAX_SIDE], d[MAX_SIDE], e[MAX_SIDE];
        for (size_t j = 0; j < side; j++) {
            for (size_t q = 0; q < side; q++)
                d[q] = v_load(s + q * t->row_step + j * VW);
            line(d, w + j, side);
        }
        for (size_t j = 0; j < side; j++) {
            line(w + side * j, e, 1);
            for (size_t q = 0; q < side; q++)
                v_store(v + (side * j + q) * t->term_step, e[q]);
        }
    }
}

/* A^T sums A of every tile, and the bias. */
TN_INLINE void output_tiles(const tni_winograd_tiles *t, const size_t m,
                            const line_fn line)
{
    const size_t side = m + 2;
    const vf bias = v_load(t->bias);
    for (size_t i = 0; i < t->n; i++) {
        const float *s = t->terms + i * t->tile_step;
        float *y = t->patch + i * t->col_step;
        vf w[MAX_SIDE * MAX_SIDE], d[MAX_SIDE], e[MAX_SIDE];
        for (size_t j = 0; j < side; j++) {
            for (size_t q = 0; q < side; q++)
                d[q] = v_load(s + (side * q + j) * t->term_step);
            line(d, w + j, side);
        }
        for (size_t j = 0; j < m; j++) {
            line(w + side * j, e, 1);
            for (size_t q = 0; q < m; q++)
                v_store(y + j * t->row_step + q * VW, v_add(e[q], bias));
        }
    }
}

/* F(2,3): points 0, 1, -1, infinity. */
TN_INLINE void in2(const vf *d, vf *t, size_t step)
{
    t[0] = v_sub(d[0], d[2]);
    t[step] = v_add(d[2], d[1]);
    t[2 * step] = v_sub(d[2], d[1]);
    t[3 * step] = v_sub(d[3], d[1]);
}

TN_INLINE void out2(const vf *d, vf *t, size_t step)
{
    t[0] = v_add(d[0], v_add(d[1], d[2]));
    t[step] = v_add(d[3], v_sub(d[1], d[2]));
}

/* F(4,3): points 0, a, -a, b, -b, infinity. */
#define ROOT_HALF 0.70710678118654752f /* a */
#define ROOT_TWO  1.41421356237309505f /* b */

TN_INLINE void in4(const vf *d, vf *t, size_t step)
{
    const vf half = v_set1(0.5f), two = v_set1(2.0f), both = v_set1(2.5f);
    const vf a = v_set1(ROOT_HALF), b = v_set1(ROOT_TWO);
    const vf ea = v_fnma(two, d[2], d[4]), oa = v_fnma(two, d[1], d[3]);
    const vf eb = v_fnma(half, d[2], d[4]), ob = v_fnma(half, d[1], d[3]);
    t[0] = v_fnma(both, d[2], v_add(d[0], d[4]));
    t[step] = v_fma(a, oa, ea);
    t[2 * step] = v_fnma(a, oa, ea);
    t[3 * step] = v_fma(b, ob, eb);
    t[4 * step] = v_fnma(b, ob, eb);
    t[5 * step] = v_fnma(both, d[3], v_add(d[1], d[5]));
}

TN_INLINE void out4(const vf *d, vf *t, size_t step)
{
    const vf half = v_set1(0.5f), two = v_set1(2.0f);
    const vf a = v_set1(ROOT_HALF), b = v_set1(ROOT_TWO);
    const vf a3 = v_set1(0.5f * ROOT_HALF), b3 = v_set1(2.0f * ROOT_TWO);
    const vf ea = v_add(d[1], d[2]), oa = v_sub(d[1], d[2]);
    const vf eb = v_add(d[3], d[4]), ob = v_sub(d[3], d[4]);
    t[0] = v_add(d[0], v_add(ea, eb));
    t[step] = v_fma(b, ob, v_mul(a, oa));
    t[2 * step] = v_fma(two, eb, v_mul(half, ea));
    t[3 * step] = v_fma(b3, ob, v_fma(a3, oa, d[5]));
}

/* Kernels of one element: nothing to transform. */
void TNI_FN(tni_winograd_f32_input1)(const tni_winograd_tiles *t)
{
    for (size_t i = 0; i < t->n; i++)
        v_store(t->terms + i * t->tile_step,
                v_load(t->patch + i * t->col_step));
}

void TNI_FN(tni_winograd_f32_output1)(const tni_winograd_tiles *t)
{
    const vf bias = v_load(t->bias);
    for (size_t i = 0; i < t->n; i++)
        v_store(t->patch + i * t->col_step,
                v_add(v_load(t->terms + i * t->tile_step), bias));
}

void TNI_FN(tni_winograd_f32_input2)(const tni_winograd_tiles *t)
{
    input_tiles(t, 2, in2);
}

void TNI_FN(tni_winograd_f32_input4)(const tni_winograd_tiles *t)
{
    input_tiles(t, 4, in4);
}

void TNI_FN(tni_winograd_f32_output2)(const tni_winograd_tiles *t)
{
    output_tiles(t, 2, out2);
}

void TNI_FN(tni_winograd_f32_output4)(const tni_winograd_tiles *t)
{
    output_tiles(t, 4, out4);
}
