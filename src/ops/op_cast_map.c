/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_cast_map.c - ai.onnx.ml CastMap
 *
 * Shapes:  a map with k pairs -> y[1, k] by ascending key, or y[1, max_map]
 *          with each value at its key
 * Types:   map(int64, float | string) -> f32, i64, string
 * Errors:  EINVAL text that is no number, a negative key in sparse form
 * Numeric: exact
 * Source:  github.com/onnx/onnx docs/Operators-ml.md#CastMap
 */
#include "base/num.h"
#include "ops/ml.h"

#include <math.h>
#include <stdio.h>

static tn_dtype target(const tni_node *node)
{
    if (tni_attr_is(node, "cast_to", "TO_STRING", "TO_FLOAT")) return TN_STRING;
    if (tni_attr_is(node, "cast_to", "TO_INT64", "TO_FLOAT")) return TN_I64;
    if (tni_attr_is(node, "cast_to", "TO_FLOAT", "TO_FLOAT")) return TN_F32;
    return TN_UNDEFINED;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = target(c->node);
    if (dtype == TN_UNDEFINED)
        return tni_fail(c->err, TN_EINVAL,
                        "cast_to must be TO_FLOAT, TO_INT64 or TO_STRING");
    int64_t dims[2] = {1, TNI_DIM_UNKNOWN};
    if (tni_attr_is(c->node, "map_form", "SPARSE", "DENSE")) {
        dims[1] = tni_attr_int(c->node, "max_map", 1);
        if (dims[1] < 0)
            return tni_fail(c->err, TN_EINVAL, "max_map is negative");
    }
    return tni_infer_dims(c, 0, dtype, 2, dims);
}

/* A decimal number; the whole text must be one. */
static tn_status parse_number(double *v, tn_string s, tn_err *err)
{
    size_t used = 0;
    if (!tni_num_parse_f64(v, &used, s.ptr, s.len) || used != s.len)
        return tni_fail(err, TN_EINVAL, "'%.*s' is no number",
                        (int)(s.len < 32 ? s.len : 32), s.ptr);
    return TN_OK;
}

/* Six decimals, as C's %f in the C locale; returns the length. */
static size_t format_number(char *buf, size_t size, double v)
{
    if (!(fabs(v) < 1e12)) return tni_num_format(buf, size, v, 9);
    /* Exact for a float: 24 bits times a million. */
    const int64_t millionths = (int64_t)nearbyint(fabs(v) * 1e6);
    const int len = snprintf(buf, size, "%s%lld.%06d", signbit(v) ? "-" : "",
                             (long long)(millionths / 1000000),
                             (int)(millionths % 1000000));
    return len < 0 ? 0 : (size_t)len;
}

static tn_status put(tni_ref *c, int64_t at, const tni_tensor *values,
                     int64_t i)
{
    tni_tensor *y = c->out[0];
    if (y->dtype == TN_STRING) {
        tn_string *to = &TNI_DATA(tn_string, y)[at];
        if (values->dtype == TN_STRING) {
            const tn_string s = TNI_CDATA(tn_string, values)[i];
            to->ptr = tni_arena_strndup(c->out_arena, s.ptr, s.len);
            to->len = s.len;
        } else {
            char buf[64];
            to->len = format_number(buf, sizeof buf, tni_get_f64(values, i));
            to->ptr = tni_arena_strndup(c->out_arena, buf, to->len);
        }
        return to->ptr == NULL ? tni_ref_nomem(c) : TN_OK;
    }
    double v = 0.0;
    if (values->dtype == TN_STRING)
        TN_TRY(parse_number(&v, TNI_CDATA(tn_string, values)[i], c->err));
    else
        v = tni_get_f64(values, i);
    tni_set_f64(y, at, v);
    return TN_OK;
}

static tn_status pad(tni_ref *c, int64_t at)
{
    if (c->out[0]->dtype == TN_STRING)
        TNI_DATA(tn_string, c->out[0])[at] = (tn_string){"0.f", 3};
    else
        tni_set_f64(c->out[0], at, 0.0);
    return TN_OK;
}

/* Positions by ascending key (a shell sort: maps are small). */
static void sort_keys(int64_t *order, const int64_t *keys, int64_t n)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    int64_t gap = 1;
    while (gap < n / 3) gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (int64_t i = gap; i < n; i++) {
            const int64_t v = order[i];
            int64_t j = i;
            for (; j >= gap && keys[order[j - gap]] > keys[v]; j -= gap)
                order[j] = order[j - gap];
            order[j] = v;
        }
    }
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *keys, *values;
    TN_TRY(tni_map_parts(c->in[0], &keys, &values, c->err));
    const tn_dtype dtype = target(c->node);
    if (keys->dtype != TN_I64)
        return tni_fail(c->err, TN_EINVAL, "the map's keys are not int64");
    const int64_t *key = TNI_CDATA(int64_t, keys);
    const bool sparse = tni_attr_is(c->node, "map_form", "SPARSE", "DENSE");
    const int64_t n = sparse ? tni_attr_int(c->node, "max_map", 1) : keys->len;
    TN_TRY(tni_ref_output(c, 0, dtype, 2, (int64_t[]){1, n}));
    if (sparse) {
        for (int64_t i = 0; i < n; i++) TN_TRY(pad(c, i));
        for (int64_t i = 0; i < keys->len; i++) {
            if (key[i] < 0)
                return tni_fail(c->err, TN_EINVAL, "key %lld is negative",
                                (long long)key[i]);
            if (key[i] < n) TN_TRY(put(c, key[i], values, i));
        }
        return TN_OK;
    }
    int64_t *order = TNI_NEW_ARRAY(c->scratch, int64_t, n + 1);
    if (order == NULL) return tni_ref_nomem(c);
    sort_keys(order, key, n);
    for (int64_t i = 0; i < n; i++) TN_TRY(put(c, i, values, order[i]));
    return TN_OK;
}

static const tni_arg in[] = {{"X", 0, 0, TNI_NONTENSOR}};
static const tni_arg out[] = {
    {"Y", TNI_STRINGS | TNI_T(TN_F32) | TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {
    {"cast_to", TNI_ATTR_STRING, "TO_FLOAT"},
    {"map_form", TNI_ATTR_STRING, "DENSE"},
    {"max_map", TNI_ATTR_INT, "1"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_DATA_SHAPED,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_cast_map = {.domain = "ai.onnx.ml",
                                .name = "CastMap",
                                .summary = "a map's values as a tensor",
                                TNI_VERSIONS(versions)};
