/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - fill the table of kernels for one CPU */
#include "kernels/kernels.h"

#include <string.h>

void tni_kernels_init_cpu(tni_kernels *k, const tni_cpu *cpu, uint32_t isa_mask)
{
    memset(k, 0, sizeof *k);
    k->cpu = *cpu;
    k->isa = cpu->isa & isa_mask;
    tni_binary_init(&k->binary, k->isa);
    tni_cvt_init(&k->cvt, k->isa);
    tni_dft_init(&k->dft, k->isa);
    tni_norm_init(&k->norm, k->isa);
    tni_qconv_init(&k->qconv, k->isa);
    tni_qdwconv_init(&k->qdwconv, k->isa);
    tni_quant_init(&k->quant, k->isa);
    tni_reduce_init(&k->reduce, k->isa);
    tni_softmax_init(&k->softmax, k->isa);
    tni_conv_init(&k->conv, k->isa);
    tni_dwconv_init(&k->dwconv, k->isa);
    tni_winograd_init(&k->winograd, k->isa);
    tni_gemm_init(&k->gemm, k->isa);
    tni_bgemm_init(&k->bgemm, k->isa);
    tni_bconv_init(&k->bconv, k->isa);
    tni_transpose_init(&k->transpose, k->isa);
    tni_imul_init(&k->imul, k->isa);
    tni_tree_init(&k->tree, k->isa);
    tni_unary_init(&k->unary, k->isa);
}

void tni_kernels_init(tni_kernels *k, uint32_t isa_mask)
{
    tni_cpu cpu;
    tni_cpu_detect(&cpu);
    tni_kernels_init_cpu(k, &cpu, isa_mask);
}
