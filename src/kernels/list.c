/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - every kernel row of this build, read off the families' tables */
#include "kernels/list.h"

#include "kernels/rows.h"
#include "tenon/base.h"

static const tni_kernel_row rows[] = {
#define TN_BCONV_KERNEL(isa, name, mr, nr, conv)                               \
    {"bconv", "tni_bconv__" #name, isa},
#include "kernels/bconv/bconv.def"
#undef TN_BCONV_KERNEL
#define TN_BGEMM_KERNEL(isa, name, mr, nr, kc)                                 \
    {"bgemm", "tni_bgemm__" #name, isa},
#include "kernels/bgemm/bgemm.def"
#undef TN_BGEMM_KERNEL
#define TN_BINARY_KERNEL(isa, op, form, fn) {"binary", #fn, isa},
#include "kernels/binary/binary.def"
#undef TN_BINARY_KERNEL
#define TN_CONV_KERNEL(isa, name, mr, nr)                                      \
    {"conv", "tni_conv_f32__" #name, isa},
#include "kernels/conv/conv.def"
#undef TN_CONV_KERNEL
#define TN_DFT_KERNEL(isa, lanes, fn) {"dft", #fn, isa},
#include "kernels/dft/dft.def"
#undef TN_DFT_KERNEL
#define TN_GEMM_KERNEL(isa, name, mr, nr, kc)                                  \
    {"gemm", "tni_gemm_f32__" #name, isa},
#include "kernels/gemm/gemm.def"
#undef TN_GEMM_KERNEL
#define TN_IMUL_KERNEL(isa, fn) {"imul", #fn, isa},
#include "kernels/imul/imul.def"
#undef TN_IMUL_KERNEL
#define TN_REDUCE_KERNEL(isa, op, row, rows)                                   \
    {"reduce", #row, isa}, {"reduce", #rows, isa},
#include "kernels/reduce/reduce.def"
#undef TN_REDUCE_KERNEL
#define TN_SOFTMAX_KERNEL(isa, form, op, fn) {"softmax", #fn, isa},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
#define TN_UNARY_KERNEL(isa, op, fn) {"unary", #fn, isa},
#include "kernels/unary/unary.def"
#undef TN_UNARY_KERNEL
#define TN_WINOGRAD_KERNEL(isa, name, lanes)                                   \
    {"winograd", "tni_winograd_f32__" #name, isa},
#include "kernels/winograd/winograd.def"
#undef TN_WINOGRAD_KERNEL
};

const tni_kernel_row *tni_kernel_rows(size_t *n)
{
    *n = sizeof rows / sizeof rows[0];
    return rows;
}
