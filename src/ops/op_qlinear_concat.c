/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_concat.c - com.microsoft QLinearConcat
 *
 * Shapes:  y_scale, y_zero_point, then x_i, x_i_scale, x_i_zero_point for each
 *          part -> y, the parts one after another along `axis`
 * Types:   u8, s8
 * Numeric: each value real in float, quantised half to even; unchanged where
 *          scale and zero point are y's
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/infer.h"

#include <math.h>
#include <string.h>

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 1);
    int64_t dims[TN_MAX_RANK] = {0};
    int axis = 0, rank = -1;
    if (c->n_in < 5 || (c->n_in - 2) % 3 != 0)
        return tni_fail(c->err, TN_EINVAL, "%d inputs", c->n_in);
    for (int i = 2; i < c->n_in; i += 3) {
        if (!tni_infer_ranked(c, i)) {
            tni_infer_unranked(c, 0, dtype);
            return TN_OK;
        }
        const tni_type *t = c->in[i];
        if (rank < 0) {
            rank = t->rank;
            TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), rank,
                            c->err));
            memcpy(dims, t->dims, sizeof dims);
            continue;
        }
        if (t->rank != rank)
            return tni_fail(c->err, TN_EINVAL, "ranks %d and %d", rank,
                            t->rank);
        for (int d = 0; d < rank; d++) {
            if (d == axis)
                dims[d] = dims[d] < 0 || t->dims[d] < 0 ? TNI_DIM_UNKNOWN
                                                        : dims[d] + t->dims[d];
            else if (!tni_dim_equal(&dims[d], dims[d], t->dims[d]))
                return tni_fail(c->err, TN_EINVAL,
                                "the parts differ along axis %d", d);
        }
    }
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

static void make_table(uint8_t *table, tn_dtype dtype, float xs, int xz,
                       float ys, int yz)
{
    const float lo = dtype == TN_I8 ? -128.0f : 0.0f;
    for (int i = 0; i < 256; i++) {
        const int x = dtype == TN_I8 ? (int8_t)i : i;
        const float v = rintf((float)(x - xz) * xs / ys) + (float)yz;
        table[i] = (uint8_t)(int)fminf(fmaxf(v, lo), lo + 255.0f);
    }
}

static tn_status ref(tni_ref *c)
{
    int axis = 0;
    const tni_tensor *first = c->in[2];
    int64_t dims[TN_MAX_RANK], extent = 0, at = 0;
    TN_TRY(
        tni_axis(&axis, tni_attr_int(c->node, "axis", 0), first->rank, c->err));
    memcpy(dims, first->dims, sizeof dims);
    for (int i = 2; i + 2 < c->n_in; i += 3) {
        const tni_tensor *t = c->in[i];
        bool fits = t->rank == first->rank && t->dtype == c->in[1]->dtype;
        for (int d = 0; fits && d < t->rank; d++)
            fits = d == axis || t->dims[d] == first->dims[d];
        if (!fits)
            return tni_fail(c->err, TN_EINVAL, "part %d does not fit",
                            (i - 2) / 3);
        extent += t->dims[axis];
    }
    dims[axis] = extent;
    const tn_dtype dtype = c->in[1]->dtype;
    TN_TRY(tni_ref_output(c, 0, dtype, first->rank, dims));
    const float ys = (float)tni_get_f64(c->in[0], 0);
    const int yz = (int)tni_get_i64(c->in[1], 0);
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < axis; d++) outer *= dims[d];
    for (int d = axis + 1; d < first->rank; d++) inner *= dims[d];
    for (int i = 2; i + 2 < c->n_in; i += 3) {
        const tni_tensor *t = c->in[i];
        uint8_t table[256];
        make_table(table, dtype, (float)tni_get_f64(c->in[i + 1], 0),
                   (int)tni_get_i64(c->in[i + 2], 0), ys, yz);
        const int64_t n = t->dims[axis] * inner;
        for (int64_t o = 0; o < outer; o++) {
            const uint8_t *from = TNI_CDATA(uint8_t, t) + o * n;
            uint8_t *to =
                TNI_DATA(uint8_t, c->out[0]) + o * extent * inner + at;
            for (int64_t k = 0; k < n; k++) to[k] = table[from[k]];
        }
        at += n;
    }
    return TN_OK;
}

enum { INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

static const tni_arg in[] = {
    {"Y_scale", TNI_T(TN_F32), 0, 0},
    {"Y_zero_point", INT8S, 0, 0},
    {"inputs", INT8S | TNI_T(TN_F32), 0, TNI_VARIADIC | TNI_HETERO},
};
static const tni_arg out[] = {{"Y", INT8S, 0, 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "required"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_qlinear_concat = {.domain = "com.microsoft",
                                      .name = "QLinearConcat",
                                      .summary =
                                          "quantised tensors side by side",
                                      TNI_VERSIONS(versions)};
