/* SPDX-License-Identifier: Apache-2.0 */
/* pack_weights.c - constant matrices into packed form, a part at a time */
#include "ops/pack_weights.h"

#include "kernels/sizes.h"

/* Elements of a part: what is read and not yet let go is small beside any
 * weights worth the trouble. */
enum { PART = 1 << 18 };

/* Rows of a part: what is packed together stays together. */
static size_t part_rows(size_t row, size_t unit)
{
    return max_size(PART / row / unit, 1) * unit;
}

tn_status tni_pack_weights(tni_plan *c, int i, size_t at, bool trans, size_t k,
                           size_t n, float *out)
{
    const tni_gemm_kernels *ker = &c->kernels->gemm;
    const size_t row = trans ? k : n, rows = trans ? n : k;
    if (row == 0 || rows == 0) return TN_OK;
    const size_t step = part_rows(row, trans ? (size_t)ker->nr : 1);
    for (size_t r = 0; r < rows; r += step) {
        const size_t part = min_size(rows - r, step);
        const float *b = c->weights(c, i, at + r * row, part * row);
        if (b == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        if (trans)
            tni_gemm_pack_b(ker, out + r * k, b, k, true, k, part);
        else
            tni_gemm_pack_b_rows(ker, out, b, n, k, n, r, part);
    }
    return TN_OK;
}

tn_status tni_pack_pairs(tni_plan *c, int i, size_t at, bool trans, size_t k,
                         size_t n, float *out)
{
    const tni_gemm_kernels *ker = &c->kernels->bgemm;
    const tni_cvt_narrow_fn narrow = c->kernels->cvt.bf16_from_f32;
    const size_t row = trans ? k : n, rows = trans ? n : k;
    if (row == 0 || rows == 0) return TN_OK;
    const size_t step = part_rows(row, trans ? (size_t)ker->nr : 2);
    for (size_t r = 0; r < rows; r += step) {
        const size_t part = min_size(rows - r, step);
        const float *b = c->weights(c, i, at + r * row, part * row);
        if (b == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        if (trans)
            tni_bgemm_pack_b(ker, narrow, out + r * tni_bgemm_pairs(k), b, k,
                             true, k, part);
        else
            tni_bgemm_pack_b_rows(ker, narrow, out, b, n, k, n, r, part);
    }
    return TN_OK;
}
