/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_average_pool.c - com.microsoft QLinearAveragePool
 *
 * Shapes:  as AveragePool; channels_last has the channels at the end
 * Types:   u8, s8
 * Numeric: the mean of real values in float, rounded half to even after the
 *          zero point is added, as ONNX Runtime does it
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/pool.h"

#include <math.h>
#include <string.h>

/* The shape with channels second, as the pool's geometry wants it. */
static void channels_second(int64_t *to, const int64_t *dims, int rank,
                            bool last)
{
    memcpy(to, dims, (size_t)rank * sizeof *to);
    if (!last || rank < 3) return;
    to[1] = dims[rank - 1];
    for (int i = 2; i < rank; i++) to[i] = dims[i - 1];
}

static void output_dims(int64_t *to, const tni_pool *p, const int64_t *dims,
                        bool last)
{
    to[0] = dims[0];
    to[last ? p->nd + 1 : 1] = dims[1];
    for (int i = 0; i < p->nd; i++) to[i + (last ? 1 : 2)] = p->out[i];
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    const bool last = tni_attr_int(c->node, "channels_last", 0) != 0;
    const int rank = c->in[0]->rank;
    int64_t dims[TN_MAX_RANK], out[TN_MAX_RANK];
    tni_pool p;
    channels_second(dims, c->in[0]->dims, rank, last);
    TN_TRY(tni_pool_make(&p, c->node, rank, dims, c->err));
    output_dims(out, &p, dims, last);
    return tni_infer_dims(c, 0, dtype, rank, out);
}

typedef struct job {
    tni_pool p;
    const tni_tensor *x;
    tni_tensor *y;
    int64_t channels;
    bool last, with_pads;
    float xs, ys;
    int xz, yz;
} job;

static float value(const job *q, int64_t i)
{
    const uint8_t u = TNI_CDATA(uint8_t, q->x)[i];
    return (float)((q->x->dtype == TN_I8 ? (int8_t)u : u) - q->xz) * q->xs;
}

/* Sum of the taps of one window; count: its elements, as asked. */
static float window(const job *q, const int64_t *o, int64_t base, int64_t step,
                    int64_t *count)
{
    const tni_pool *p = &q->p;
    int64_t first[TNI_POOL_DIMS], k0[TNI_POOL_DIMS], k1[TNI_POOL_DIMS];
    int64_t at[TNI_POOL_DIMS];
    float sum = 0.0f;
    *count = 1;
    for (int i = 0; i < p->nd; i++) {
        first[i] = tni_pool_taps(p, i, o[i], &k0[i], &k1[i]);
        int64_t n = k1[i] - k0[i];
        if (n <= 0) {
            *count = 0;
            return 0.0f;
        }
        if (q->with_pads) {
            const int64_t room = p->in[i] + p->after[i] - first[i];
            n = (room + p->dilation[i] - 1) / p->dilation[i];
            n = n < p->kernel[i] ? n : p->kernel[i];
        }
        *count *= n;
        at[i] = k0[i];
    }
    for (;;) {
        int64_t pos = 0;
        for (int i = 0; i < p->nd; i++)
            pos = pos * p->in[i] + first[i] + at[i] * p->dilation[i];
        sum += value(q, base + pos * step);
        int i = p->nd - 1;
        while (i >= 0 && ++at[i] == k1[i]) {
            at[i] = k0[i];
            i--;
        }
        if (i < 0) return sum;
    }
}

static void planes(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const job *q = ctx;
    const tni_pool *p = &q->p;
    const float lo = q->y->dtype == TN_I8 ? -128.0f : 0.0f;
    for (size_t i = begin; i < end; i++) {
        const int64_t n = (int64_t)i / q->channels;
        const int64_t ch = (int64_t)i % q->channels;
        const int64_t step = q->last ? q->channels : 1;
        const int64_t x =
            q->last ? n * p->in_len * q->channels + ch : (int64_t)i * p->in_len;
        const int64_t y = q->last ? n * p->out_len * q->channels + ch
                                  : (int64_t)i * p->out_len;
        int64_t o[TNI_POOL_DIMS];
        for (int64_t w = 0; w < p->out_len; w++) {
            int64_t rest = w, count = 0;
            for (int d = p->nd - 1; d >= 0; d--) {
                o[d] = rest % p->out[d];
                rest /= p->out[d];
            }
            const float sum = window(q, o, x, step, &count);
            const float mean = count > 0 ? sum / (float)count : 0.0f;
            float v = rintf(mean / q->ys + (float)q->yz);
            v = fminf(fmaxf(v, lo), lo + 255.0f);
            TNI_DATA(uint8_t, q->y)[y + w * step] = (uint8_t)(int)v;
        }
    }
}

static tn_status ref(tni_ref *c)
{
    job q = {.x = c->in[0]};
    const int rank = q.x->rank;
    int64_t dims[TN_MAX_RANK], out[TN_MAX_RANK];
    q.last = tni_attr_int(c->node, "channels_last", 0) != 0;
    q.with_pads = tni_attr_int(c->node, "count_include_pad", 0) != 0;
    channels_second(dims, q.x->dims, rank, q.last);
    TN_TRY(tni_pool_make(&q.p, c->node, rank, dims, c->err));
    output_dims(out, &q.p, dims, q.last);
    TN_TRY(tni_ref_output(c, 0, q.x->dtype, rank, out));
    q.y = c->out[0];
    q.channels = dims[1];
    q.xs = (float)tni_get_f64(c->in[1], 0);
    q.ys = (float)tni_get_f64(c->in[3], 0);
    q.xz = tni_ref_has(c, 2) ? (int)tni_get_i64(c->in[2], 0) : 0;
    q.yz = tni_ref_has(c, 4) ? (int)tni_get_i64(c->in[4], 0) : 0;
    if (q.y->len == 0) return TN_OK;
    tni_par_for(c->par, (size_t)(dims[0] * dims[1]), planes, &q);
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
static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"channels_last", TNI_ATTR_INT, "0"},
    {"count_include_pad", TNI_ATTR_INT, "0"},
    {"kernel_shape", TNI_ATTR_INTS, "required"},
    {"pads", TNI_ATTR_INTS, NULL},
    {"strides", TNI_ATTR_INTS, NULL},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_qlinear_average_pool = {
    .domain = "com.microsoft",
    .name = "QLinearAveragePool",
    .summary = "means over windows of a quantised tensor",
    TNI_VERSIONS(versions)};
