/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_rows.c - the rows of the architectures this build is not for */
#include "base/config.h"
#define TN_ROWS_X86_64  (!TN_ARCH_X86_64)
#define TN_ROWS_AARCH64 (!TN_ARCH_AARCH64)
#include "kcheck_rows.h"
#include "kernels/rows.h"
#include "tenon/base.h"

/* Plain C rows appear too, with isa 0; the driver leaves them out. */
const kc_foreign_row kc_foreign[] = {
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
#define TN_CVT_KERNEL(isa, from_f16, from_bf16, to_f16, to_bf16)               \
    {"cvt", #from_f16, isa}, {"cvt", #from_bf16, isa}, {"cvt", #to_f16, isa},  \
        {"cvt", #to_bf16, isa},
#include "kernels/cvt/cvt.def"
#undef TN_CVT_KERNEL
#define TN_DFT_KERNEL(isa, lanes, fn) {"dft", #fn, isa},
#include "kernels/dft/dft.def"
#undef TN_DFT_KERNEL
#define TN_NORM_KERNEL(isa, layer, rms, moments, affine)                       \
    {"norm", #layer, isa}, {"norm", #rms, isa}, {"norm", #moments, isa},       \
        {"norm", #affine, isa},
#include "kernels/norm/norm.def"
#undef TN_NORM_KERNEL
#define TN_QCONV_KERNEL(isa, form, name, mr, nr)                               \
    {"qconv", "tni_qconv__" #name, isa},
#include "kernels/qconv/qconv.def"
#undef TN_QCONV_KERNEL
#define TN_QDWCONV_KERNEL(isa, name, channels)                                 \
    {"qdwconv", "tni_qdwconv_tile__" #name, isa},
#include "kernels/qdwconv/qdwconv.def"
#undef TN_QDWCONV_KERNEL
#define TN_QUANT_KERNEL(isa, to_u8, to_s8, from_u8, from_s8, add_u8, add_s8)   \
    {"quant", #to_u8, isa}, {"quant", #to_s8, isa}, {"quant", #from_u8, isa},  \
        {"quant", #from_s8, isa}, {"quant", #add_u8, isa},                     \
        {"quant", #add_s8, isa},
#include "kernels/quant/quant.def"
#undef TN_QUANT_KERNEL
#define TN_REDUCE_KERNEL(isa, op, row, rows)                                   \
    {"reduce", #row, isa}, {"reduce", #rows, isa},
#include "kernels/reduce/reduce.def"
#undef TN_REDUCE_KERNEL
#define TN_SOFTMAX_KERNEL(isa, op, rows, cols)                                 \
    {"softmax", #rows, isa}, {"softmax", #cols, isa},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
#define TN_CONV_KERNEL(isa, name, mr, nr) {"conv", "tni_conv_f32__" #name, isa},
#include "kernels/conv/conv.def"
#undef TN_CONV_KERNEL
#define TN_DWCONV_KERNEL(isa, name) {"dwconv", "tni_dwconv_f32__" #name, isa},
#include "kernels/dwconv/dwconv.def"
#undef TN_DWCONV_KERNEL
#define TN_GEMM_KERNEL(isa, name, mr, nr, kc)                                  \
    {"gemm", "tni_gemm_f32__" #name, isa},
#include "kernels/gemm/gemm.def"
#undef TN_GEMM_KERNEL
#define TN_TRANSPOSE_KERNEL(isa, bytes, fn) {"transpose", #fn, isa},
#include "kernels/transpose/transpose.def"
#undef TN_TRANSPOSE_KERNEL
#define TN_TREE_KERNEL(isa, fn) {"tree", #fn, isa},
#include "kernels/tree/tree.def"
#undef TN_TREE_KERNEL
#define TN_UNARY_KERNEL(isa, op, fn) {"unary", #fn, isa},
#include "kernels/unary/unary.def"
#undef TN_UNARY_KERNEL
#define TN_WINOGRAD_KERNEL(isa, name, lanes)                                   \
    {"winograd", "tni_winograd_f32__" #name, isa},
#include "kernels/winograd/winograd.def"
#undef TN_WINOGRAD_KERNEL
};
const size_t kc_n_foreign = sizeof kc_foreign / sizeof kc_foreign[0];
