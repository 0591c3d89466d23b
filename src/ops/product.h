/* SPDX-License-Identifier: Apache-2.0 */
/*
 * product.h - what Gemm, MatMul and their fused forms share
 *
 * A product is a batch of multiplications C = alpha op(A) op(B), where each
 * operand is a stack of matrices that broadcasts along the batch dimensions.
 *
 * Numeric: float references sum in double and round once; integer ones wrap
 *          around as their dtype does; f32 plans sum in float in the order of
 *          k, see kernels/gemm/gemm.h.
 */
#ifndef TN_SRC_OPS_PRODUCT_H
#define TN_SRC_OPS_PRODUCT_H

#include "ops/activation.h"
#include "ops/infer.h"

/* Extents may be unknown during inference only. Batch dimensions are aligned
 * on the right; op(A) is [m, k], op(B) is [k, n]. */
typedef struct tni_product {
    int batch_rank;
    int64_t batch[TN_MAX_RANK];
    /* Elements from one matrix to the next along each batch dimension. */
    int64_t a_step[TN_MAX_RANK], b_step[TN_MAX_RANK];
    int64_t m, n, k;
    int64_t lda, ldb; /* of the stored matrices */
    bool a_trans, b_trans;
    bool a_vec, b_vec; /* 1-D operand: its dimension leaves the output */
} tni_product;

/* How an operand is looked at before it is multiplied. */
typedef struct tni_product_view {
    bool trans;       /* the last two dimensions are swapped */
    bool batch_trans; /* before that, the first moves next to the last */
} tni_product_view;

/* From the shapes of both operands under MatMul's rules. */
tn_status tni_product_make(tni_product *p, const tni_type *a, const tni_type *b,
                           tni_product_view va, tni_product_view vb,
                           tn_err *err);

/* Shape of the output; returns the rank. */
int tni_product_dims(const tni_product *p, int64_t *dims);
/* Output 0: that shape, the dtype of input 0. */
tn_status tni_product_infer(tni_infer *c, tni_product_view va,
                            tni_product_view vb);

/* What follows the product: f(alpha op(A) op(B) + beta C + residual). */
typedef struct tni_product_tail {
    float alpha, beta;
    int c, residual; /* inputs, -1: none */
    tni_activation act;
} tni_product_tail;

#define TNI_PRODUCT_TAIL_NONE                                                  \
    {                                                                          \
        1.0f, 1.0f, -1, -1,                                                    \
        {                                                                      \
            false, TNI_UNARY_ABS,                                              \
            {                                                                  \
                0                                                              \
            }                                                                  \
        }                                                                      \
    }

/* Inputs 0 and 1 are the operands; C broadcasts to the output, which the
 * residual has the shape of. */
tn_status tni_product_ref(tni_ref *c, tni_product_view va, tni_product_view vb,
                          const tni_product_tail *tail);
tn_status tni_product_plan(tni_plan *c, tni_product_view va,
                           tni_product_view vb, const tni_product_tail *tail);

#endif
