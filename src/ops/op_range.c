/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_range.c - ONNX Range, opsets 11, 27
 *
 * Shapes:  start, limit, delta  ->  output[max(ceil((limit - start) / delta),
 *          0)]
 * Types:   int16, int32, int64 and floats
 * Errors:  EINVAL delta is 0 or one of them is NaN
 * Numeric: start + i * delta, in the type itself; f16 and bf16 in float32 and
 *          rounded once
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <math.h>

static tn_status length(int64_t *n, const tni_tensor *const in[3], tn_err *err)
{
    static const char *const names[] = {"start", "limit", "delta"};
    for (int i = 0; i < 3; i++)
        if (in[i]->len != 1)
            return tni_fail(err, TN_EINVAL, "%s has %lld elements, expected 1",
                            names[i], (long long)in[i]->len);
    if (!tni_is_float(in[0]->dtype)) {
        const int64_t start = tni_get_i64(in[0], 0);
        const int64_t limit = tni_get_i64(in[1], 0);
        const int64_t delta = tni_get_i64(in[2], 0);
        if (delta == 0) return tni_fail(err, TN_EINVAL, "delta is 0");
        uint64_t span = 0;
        if (delta > 0 && limit > start)
            span = (uint64_t)limit - (uint64_t)start;
        if (delta < 0 && limit < start)
            span = (uint64_t)start - (uint64_t)limit;
        const uint64_t by = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
        const uint64_t count = span / by + (span % by != 0 ? 1 : 0);
        if (count > INT64_MAX)
            return tni_fail(err, TN_ELIMIT, "the element count overflows");
        *n = (int64_t)count;
        return TN_OK;
    }
    const double start = tni_get_f64(in[0], 0), limit = tni_get_f64(in[1], 0);
    const double delta = tni_get_f64(in[2], 0);
    if (delta == 0.0) return tni_fail(err, TN_EINVAL, "delta is 0");
    const double count = ceil((limit - start) / delta);
    if (isnan(count))
        return tni_fail(err, TN_EINVAL, "start, limit or delta is no number");
    if (count > 9.0e18)
        return tni_fail(err, TN_ELIMIT, "the element count overflows");
    *n = count > 0.0 ? (int64_t)count : 0;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    int64_t n = TNI_DIM_UNKNOWN;
    const tni_tensor *in[3];
    bool known = true;
    for (int i = 0; i < 3; i++) {
        in[i] = tni_infer_const(c, i);
        if (in[i] == NULL) known = false;
    }
    if (known) TN_TRY(length(&n, in, c->err));
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 1, &n);
}

static tn_status ref(tni_ref *c)
{
    int64_t n = 0;
    TN_TRY(length(&n, c->in, c->err));
    const tn_dtype dtype = c->in[0]->dtype;
    TN_TRY(tni_ref_output(c, 0, dtype, 1, &n));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_tensor *y = c->out[0];
    if (!tni_is_float(dtype)) {
        const uint64_t start = (uint64_t)tni_get_i64(c->in[0], 0);
        const uint64_t delta = (uint64_t)tni_get_i64(c->in[2], 0);
        for (int64_t i = 0; i < n; i++) {
            const uint64_t v = start + (uint64_t)i * delta;
            if (dtype == TN_I64)
                TNI_DATA(int64_t, y)[i] = (int64_t)v;
            else if (dtype == TN_I32)
                TNI_DATA(int32_t, y)[i] = (int32_t)v;
            else
                TNI_DATA(int16_t, y)[i] = (int16_t)v;
        }
        return TN_OK;
    }
    const double start = tni_get_f64(c->in[0], 0);
    const double delta = tni_get_f64(c->in[2], 0);
    for (int64_t i = 0; i < n; i++) {
        double v = start + (double)i * delta;
        if (dtype != TN_F64) v = (double)((float)start + (float)i * (float)delta);
        tni_set_f64(y, i, v);
    }
    return TN_OK;
}

#define TYPES                                                                  \
    (TNI_FLOATS | TNI_T(TN_I16) | TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"start", TYPES, 'T', 0},
                              {"limit", TYPES, 'T', 0},
                              {"delta", TYPES, 'T', 0}};
static const tni_arg outs[] = {{"output", TYPES, 'T', 0}};
static const tni_attr_spec attrs[] = {{"stash_type", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 27, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), .infer = infer, .ref = ref},
};

const tni_op tni_op_range = {
    .domain = "",
    .name = "Range",
    .summary = "Counts from start towards limit",
    TNI_VERSIONS(versions),
};
