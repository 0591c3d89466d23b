/* SPDX-License-Identifier: Apache-2.0 */
/* dtype.c - sizes and names of element types */
#include "tensor/tensor.h"

static const struct {
    const char *name;
    uint8_t size;
} dtypes[TN_DTYPE_COUNT] = {
    [TN_UNDEFINED] = {"undefined", 0},
    [TN_F32] = {"float32", 4},
    [TN_U8] = {"uint8", 1},
    [TN_I8] = {"int8", 1},
    [TN_U16] = {"uint16", 2},
    [TN_I16] = {"int16", 2},
    [TN_I32] = {"int32", 4},
    [TN_I64] = {"int64", 8},
    [TN_STRING] = {"string", sizeof(tn_string)},
    [TN_BOOL] = {"bool", 1},
    [TN_F16] = {"float16", 2},
    [TN_F64] = {"float64", 8},
    [TN_U32] = {"uint32", 4},
    [TN_U64] = {"uint64", 8},
    [TN_C64] = {"complex64", 8},
    [TN_C128] = {"complex128", 16},
    [TN_BF16] = {"bfloat16", 2},
    [TN_F8E4M3FN] = {"float8e4m3fn", 1},
    [TN_F8E4M3FNUZ] = {"float8e4m3fnuz", 1},
    [TN_F8E5M2] = {"float8e5m2", 1},
    [TN_F8E5M2FNUZ] = {"float8e5m2fnuz", 1},
    [TN_U4] = {"uint4", 1},
    [TN_I4] = {"int4", 1},
    [TN_F4E2M1] = {"float4e2m1", 1},
    [TN_F8E8M0] = {"float8e8m0", 1},
    [TN_U2] = {"uint2", 1},
    [TN_I2] = {"int2", 1},
};

size_t tn_dtype_size(tn_dtype dtype)
{
    const unsigned i = (unsigned)dtype;
    return i < TN_DTYPE_COUNT ? dtypes[i].size : 0;
}

const char *tn_dtype_name(tn_dtype dtype)
{
    const unsigned i = (unsigned)dtype;
    return i < TN_DTYPE_COUNT ? dtypes[i].name : "undefined";
}
