/* SPDX-License-Identifier: Apache-2.0 */
/* datatype.c - dtypes as the protocol spells them */
#include "serve/datatype.h"

static const struct {
    tn_dtype dtype;
    const char *name;
} names[] = {
    {TN_BOOL, "BOOL"},  {TN_U8, "UINT8"},     {TN_U16, "UINT16"},
    {TN_U32, "UINT32"}, {TN_U64, "UINT64"},   {TN_I8, "INT8"},
    {TN_I16, "INT16"},  {TN_I32, "INT32"},    {TN_I64, "INT64"},
    {TN_F16, "FP16"},   {TN_BF16, "BF16"},    {TN_F32, "FP32"},
    {TN_F64, "FP64"},   {TN_STRING, "BYTES"},
};

const char *tni_datatype_name(tn_dtype dtype)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].dtype == dtype) return names[i].name;
    return "";
}

bool tni_datatype_of(tni_span name, tn_dtype *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (tni_span_is(name, names[i].name)) {
            *out = names[i].dtype;
            return true;
        }
    return false;
}
