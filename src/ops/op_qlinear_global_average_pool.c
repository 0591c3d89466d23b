/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_global_average_pool.c - com.microsoft QLinearGlobalAveragePool
 *
 * Shapes:  x[N, C, …] -> y[N, C, 1, …]; channels_last: x[N, …, C]
 * Types:   u8, s8
 * Numeric: exact sums, one float product, rounded half to even
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/infer.h"

#include <math.h>

static void shape(int64_t *to, const int64_t *dims, int rank, bool last)
{
    for (int i = 0; i < rank; i++)
        to[i] = i == 0 || i == (last ? rank - 1 : 1) ? dims[i] : 1;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK];
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    const int rank = c->in[0]->rank;
    if (rank < 3) return tni_fail(c->err, TN_EINVAL, "input of rank %d", rank);
    shape(dims, c->in[0]->dims, rank,
          tni_attr_int(c->node, "channels_last", 0) != 0);
    return tni_infer_dims(c, 0, c->in[0]->dtype, rank, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const bool last = tni_attr_int(c->node, "channels_last", 0) != 0;
    int64_t dims[TN_MAX_RANK];
    if (x->rank < 3)
        return tni_fail(c->err, TN_EINVAL, "input of rank %d", x->rank);
    shape(dims, x->dims, x->rank, last);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    const int64_t n = x->dims[0], ch = x->dims[last ? x->rank - 1 : 1];
    if (n * ch == 0) return TN_OK;
    const int64_t len = x->len / (n * ch);
    if (len == 0) return tni_fail(c->err, TN_EINVAL, "the mean of no elements");
    const int64_t zx = tni_ref_has(c, 2) ? tni_get_i64(c->in[2], 0) : 0;
    const int64_t zy = tni_ref_has(c, 4) ? tni_get_i64(c->in[4], 0) : 0;
    const float scale = (float)tni_get_f64(c->in[1], 0) /
                        ((float)tni_get_f64(c->in[3], 0) * (float)len);
    const bool s8 = x->dtype == TN_I8;
    const float lo = s8 ? -128.0f : 0.0f;
    int64_t *sums = tni_ref_scratch(c, (size_t)(n * ch) * sizeof *sums);
    if (sums == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; i < n * ch; i++) sums[i] = -zx * len;
    /* In the order of memory, whichever that is. */
    const uint8_t *u = TNI_CDATA(uint8_t, x);
    for (int64_t i = 0; i < n * (last ? len : ch); i++) {
        int64_t *to = sums + (last ? i / len * ch : i);
        const int64_t step = last ? 1 : 0, row = last ? ch : len;
        if (s8)
            for (int64_t k = 0; k < row; k++) to[k * step] += (int8_t)*u++;
        else
            for (int64_t k = 0; k < row; k++) to[k * step] += *u++;
    }
    for (int64_t i = 0; i < n * ch; i++) {
        const float v = rintf((float)sums[i] * scale) + (float)zy;
        TNI_DATA(uint8_t, c->out[0])
        [i] = (uint8_t)(int)fminf(fmaxf(v, lo), lo + 255.0f);
    }
    return TN_OK;
}

enum { INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

static const tni_arg in[] = {
    {"X", INT8S, 'T', 0},
    {"x_scale", TNI_T(TN_F32), 0, 0},
    {"x_zero_point", INT8S, 'T', TNI_OPTIONAL},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", INT8S, 'T', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", INT8S, 'T', 0}};
static const tni_attr_spec attrs[] = {{"channels_last", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_qlinear_global_average_pool = {
    .domain = "com.microsoft",
    .name = "QLinearGlobalAveragePool",
    .summary = "means of the planes of a quantised tensor",
    TNI_VERSIONS(versions)};
