/* SPDX-License-Identifier: Apache-2.0 */
/* pack_weights.h - constant matrices into packed form, a part at a time */
#ifndef TN_SRC_OPS_PACK_WEIGHTS_H
#define TN_SRC_OPS_PACK_WEIGHTS_H

#include "kernels/kernels.h"
#include "ops/op.h"

/*
 * Packs the matrix B[k, n] (trans: stored as [n, k]) that is dense from element
 * `at` of constant input i on, as tni_gemm_pack_b does.
 */
tn_status tni_pack_weights(tni_plan *c, int i, size_t at, bool trans, size_t k,
                           size_t n, float *out);

/* The same as bfloat16 pairs, as tni_bgemm_pack_b does. */
tn_status tni_pack_pairs(tni_plan *c, int i, size_t at, bool trans, size_t k,
                         size_t n, float *out);

#endif
