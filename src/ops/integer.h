/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integer.h - products and convolutions of 8-bit integers
 *
 * Every integer operator is the same sum, acc = sum (a - za)(b - zb) + bias in
 * 32 bits that wrap around, and one of three endings: acc itself, a float
 * acc * sa * sb, or that quotient by y's scale, rounded and held in y's range.
 *
 * Numeric: the sums are exact. Requantising is one float product acc * (sa *
 *          sb / sy), held in y's range, rounded half to even, as ONNX Runtime
 *          does it.
 */
#ifndef TN_SRC_OPS_INTEGER_H
#define TN_SRC_OPS_INTEGER_H

#include "kernels/kernels.h"
#include "ops/convolution.h"
#include "ops/product.h"

/* Which input plays which part; -1: none. */
typedef struct tni_int_roles {
    int8_t a, b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero, bias;
} tni_int_roles;

enum { TNI_INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

/* Products, by MatMul's rules; views as in product.h. The output dtype is
 * i32, f32 (or that of the scales), or the one of y_zero. */
tn_status tni_int_product_infer(tni_infer *c, const tni_int_roles *roles,
                                tni_product_view va, tni_product_view vb);
tn_status tni_int_product_ref(tni_ref *c, const tni_int_roles *roles,
                              tni_product_view va, tni_product_view vb);
tn_status tni_int_product_plan(tni_plan *c, const tni_int_roles *roles,
                               tni_product_view va, tni_product_view vb);

/* The same of `rows` rows by one constant matrix, where nothing differs from
 * row to row; leaves c->run NULL where this is not so. */
tn_status tni_int_dense_plan(tni_plan *c, const tni_int_roles *roles,
                             const tni_product *p, int64_t rows);

/* QLinearConv's inputs and output, and the parts that they play. */
extern const tni_arg tni_qlinear_conv_in[9], tni_qlinear_conv_out[1];
extern const tni_int_roles tni_qlinear_conv_roles;

/* Convolutions: a is x, b is w, with one scale and zero point for each output
 * channel or one for all. */
tn_status tni_int_conv_infer(tni_infer *c, const tni_int_roles *roles);
tn_status tni_int_conv_ref(tni_ref *c, const tni_int_roles *roles);
tn_status tni_int_conv_plan(tni_plan *c, const tni_int_roles *roles);

/* Convolutions of one or two axes with the channels last, quantised at both
 * ends: inputs as QLinearConv has them. */
tn_status tni_int_nhwc_infer(tni_infer *c);
tn_status tni_int_nhwc_ref(tni_ref *c);
tn_status tni_int_nhwc_plan(tni_plan *c);

/* --- the multiplication ------------------------------------------------- */

/*
 * C[m, n] = A[m, k] B[k, n]: B packed as widened differences in panels of
 * TNI_IMUL_COLS columns, A fetched four rows at a time.
 */
typedef struct tni_imul {
    size_t m, n, k;
    const int16_t *b;
    tni_imul_tile_fn tile;
    /* Rows [row, row + n_rows) to dst[tni_imul_at(k, r)], zeros beyond n_rows
     * and for an odd last k. */
    void (*load)(const void *ctx, size_t row, size_t n_rows, int16_t *dst);
    /* n sums of one row. */
    void (*store)(const void *ctx, size_t row, size_t col, size_t n,
                  const int32_t *acc);
    const void *ctx;
} tni_imul;

/* Where term k of row r goes in a block of A. */
static inline size_t tni_imul_at(size_t k, size_t r)
{
    return (k / 2 * TNI_IMUL_ROWS + r) * 2 + k % 2;
}

/* Values of int16_t; false on overflow. */
bool tni_imul_packed_len(size_t *len, size_t k, size_t n);
/* B from 8-bit rows (trans: stored as [n, k]); zero: one, or step 1 for one
 * per column. */
void tni_imul_pack(int16_t *out, const void *b, bool is_signed, size_t ld,
                   bool trans, size_t k, size_t n, const int32_t *zero,
                   size_t step);
/* int16_t values of scratch per worker. */
size_t tni_imul_scratch(size_t k);
void tni_imul_run(const tni_imul *g, int16_t *scratch, const tni_par *par);

/* --- endings ------------------------------------------------------------ */

/* What becomes of sums: multiplied by scale[col * step] when there is one. */
typedef struct tni_int_end {
    const float *scale;
    size_t step;
    const int32_t *bias; /* per column, or NULL */
    tn_dtype dtype;
    float lo, hi; /* range less the zero point */
    int zero;
} tni_int_end;

/* n results at y + at elements, `stride` apart; cols: index of the first. */
void tni_int_finish(const tni_int_end *e, void *y, size_t at, size_t stride,
                    size_t col, size_t n, const int32_t *acc);

#endif
