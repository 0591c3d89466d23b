/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h - elements of one dtype to another, as ONNX Cast defines it
 *
 * Every pair of numeric dtypes and bool, fp8, fp4, e8m0 and 2- and 4-bit
 * integers included. Floats round half to even and overflow to infinity;
 * integers wrap; a float goes to an integer by truncation, and where it is out
 * of range by what x86 does: the smallest integer of 32 or 64 bits, cut to
 * the width wanted. No pair has undefined behaviour.
 */
#ifndef TN_SRC_OPS_CONVERT_H
#define TN_SRC_OPS_CONVERT_H

#include "tensor/half.h"
#include "tensor/tensor.h"

#include <stddef.h>

typedef enum tni_round_mode {
    TNI_ROUND_UP = 0, /* away from zero; ONNX's default for e8m0 */
    TNI_ROUND_DOWN,
    TNI_ROUND_NEAREST
} tni_round_mode;

typedef struct tni_convert_mode {
    bool no_saturate;     /* fp8, e8m0: out of range gives NaN or infinity */
    tni_round_mode round; /* e8m0 */
} tni_convert_mode;

/* False for strings, complex and TN_UNDEFINED. */
bool tni_can_convert(tn_dtype dtype);

/* n elements; `to` and `from` may be equal only when the dtypes have one
 * size. NULL mode: the defaults. */
void tni_convert(void *to, tn_dtype to_dtype, const void *from,
                 tn_dtype from_dtype, size_t n, const tni_convert_mode *mode);

static inline int64_t tni_f64_to_i64(double v)
{
    return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

static inline int32_t tni_f64_to_i32(double v)
{
    return v > -0x1p31 - 1.0 && v < 0x1p31 ? (int32_t)v : INT32_MIN;
}

static inline uint64_t tni_f64_to_u64(double v)
{
    if (v >= 0x1p63)
        return (uint64_t)tni_f64_to_i64(v - 0x1p63) ^ ((uint64_t)1 << 63);
    return (uint64_t)tni_f64_to_i64(v);
}

#endif
