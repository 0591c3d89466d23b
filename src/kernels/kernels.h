/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernels.h - every kernel family, chosen for one CPU
 *
 * A session holds one tni_kernels: function pointers and block sizes, filled
 * once, then read only. There is no global state, so two sessions of one
 * process may use different instruction sets, and a test can ask for any.
 *
 * A family `f` is a folder with f.h (types, contract, tni_f_kernels), f.def
 * (one row per implementation), f.c (tni_f_init) and f_<isa>.c. Each row of
 * the table is tested and timed by kcheck.
 */
#ifndef TN_SRC_KERNELS_KERNELS_H
#define TN_SRC_KERNELS_KERNELS_H

#include "cpu/cpu.h"
#include "kernels/bconv/bconv.h"
#include "kernels/bgemm/bgemm.h"
#include "kernels/binary/binary.h"
#include "kernels/conv/conv.h"
#include "kernels/cvt/cvt.h"
#include "kernels/dft/dft.h"
#include "kernels/dwconv/dwconv.h"
#include "kernels/gemm/gemm.h"
#include "kernels/imul/imul.h"
#include "kernels/norm/norm.h"
#include "kernels/qconv/qconv.h"
#include "kernels/qdwconv/qdwconv.h"
#include "kernels/quant/quant.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"
#include "kernels/transpose/transpose.h"
#include "kernels/tree/tree.h"
#include "kernels/unary/unary.h"
#include "kernels/winograd/winograd.h"

typedef struct tni_kernels {
    uint32_t isa; /* the bundles that rows were chosen from */
    tni_cpu cpu;
    tni_binary_kernels binary;
    tni_cvt_kernels cvt;
    tni_dft_kernels dft;
    tni_norm_kernels norm;
    tni_qconv_kernels qconv;
    tni_qdwconv_kernels qdwconv;
    tni_quant_kernels quant;
    tni_reduce_kernels reduce;
    tni_softmax_kernels softmax;
    tni_conv_kernels conv;
    tni_dwconv_kernels dwconv;
    tni_winograd_kernels winograd;
    tni_gemm_kernels gemm;
    tni_gemm_kernels bgemm; /* of bfloat16 pairs, as is bconv */
    tni_conv_kernels bconv;
    tni_imul_kernels imul;
    tni_transpose_kernels transpose;
    tni_tree_kernels tree;
    tni_unary_kernels unary;
} tni_kernels;

/* Chooses for this processor, restricted to isa_mask (a tn_isa mask; bits the
 * processor lacks are ignored). Threads: exclusive; then immutable. */
void tni_kernels_init(tni_kernels *k, uint32_t isa_mask);

/* The same for a processor described by the caller. */
void tni_kernels_init_cpu(tni_kernels *k, const tni_cpu *cpu,
                          uint32_t isa_mask);

#endif
