/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_nhwc_max_pool.c - com.microsoft NhwcMaxPool
 *
 * Shapes:  as MaxPool with the channels last: x[N, D1 … Dk, C]
 * Types:   u8, s8
 * Numeric: exact
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "ops/pool.h"

#include <string.h>

static void channels_second(int64_t *to, const int64_t *dims, int rank)
{
    memcpy(to, dims, (size_t)rank * sizeof *to);
    if (rank < 3) return;
    to[1] = dims[rank - 1];
    for (int i = 2; i < rank; i++) to[i] = dims[i - 1];
}

static void output_dims(int64_t *to, const tni_pool *p, const int64_t *dims)
{
    to[0] = dims[0];
    to[p->nd + 1] = dims[1];
    for (int i = 0; i < p->nd; i++) to[i + 1] = p->out[i];
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    int64_t dims[TN_MAX_RANK], out[TN_MAX_RANK];
    tni_pool p;
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    const int rank = c->in[0]->rank;
    channels_second(dims, c->in[0]->dims, rank);
    TN_TRY(tni_pool_make(&p, c->node, rank, dims, c->err));
    output_dims(out, &p, dims);
    return tni_infer_dims(c, 0, dtype, rank, out);
}

typedef struct job {
    tni_pool p;
    size_t channels;
    bool is_signed;
    const uint8_t *x;
    uint8_t *y;
} job;

static void larger(uint8_t *y, const uint8_t *x, size_t n, bool is_signed)
{
    /* Signed bytes compare as unsigned ones do with their top bit turned. */
    const uint8_t turn = is_signed ? 128 : 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t a = y[i] ^ turn, b = x[i] ^ turn;
        y[i] = (uint8_t)((a > b ? a : b) ^ turn);
    }
}

/* One output position of every channel; `image` and `y` its first. */
static void window(const job *q, const uint8_t *image, uint8_t *y, int64_t pos)
{
    const tni_pool *p = &q->p;
    int64_t first[TNI_POOL_DIMS], k0[TNI_POOL_DIMS], k1[TNI_POOL_DIMS];
    int64_t at[TNI_POOL_DIMS];
    memset(y, q->is_signed ? 128 : 0, q->channels);
    for (int i = p->nd - 1; i >= 0; i--) {
        first[i] = tni_pool_taps(p, i, pos % p->out[i], &k0[i], &k1[i]);
        pos /= p->out[i];
        if (k1[i] <= k0[i]) return;
        at[i] = k0[i];
    }
    for (;;) {
        int64_t from = 0;
        for (int i = 0; i < p->nd; i++)
            from = from * p->in[i] + first[i] + at[i] * p->dilation[i];
        larger(y, image + (size_t)from * q->channels, q->channels,
               q->is_signed);
        int i = p->nd - 1;
        while (i >= 0 && ++at[i] == k1[i]) {
            at[i] = k0[i];
            i--;
        }
        if (i < 0) return;
    }
}

/* Positions of the last axis of the output, a task each. */
static void rows(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const int64_t width = q->p.out[q->p.nd - 1];
    const int64_t per = q->p.out_len / width;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const int64_t n = (int64_t)i / per, row = (int64_t)i % per;
        const uint8_t *image = q->x + (size_t)(n * q->p.in_len) * q->channels;
        for (int64_t j = row * width; j < (row + 1) * width; j++)
            window(q, image,
                   q->y + (size_t)(n * q->p.out_len + j) * q->channels, j);
    }
}

static tn_status make(job *q, const tni_node *node, int rank,
                      const int64_t *dims, tn_dtype dtype, int64_t *out,
                      tn_err *err)
{
    int64_t second[TN_MAX_RANK];
    channels_second(second, dims, rank);
    TN_TRY(tni_pool_make(&q->p, node, rank, second, err));
    output_dims(out, &q->p, second);
    q->channels = (size_t)second[1];
    q->is_signed = dtype == TN_I8;
    return TN_OK;
}

static void start(job *q, const tni_tensor *x, tni_tensor *y,
                  const tni_par *par)
{
    q->x = x->data;
    q->y = y->data;
    if (y->len == 0) return;
    const int64_t width = q->p.out[q->p.nd - 1];
    tni_par_for(par, (size_t)(x->dims[0] * (q->p.out_len / width)), rows, q);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    job q = {.channels = 0};
    int64_t out[TN_MAX_RANK];
    TN_TRY(make(&q, c->node, x->rank, x->dims, x->dtype, out, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, out));
    start(&q, x, c->out[0], c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    job q = *(const job *)c->state;
    start(&q, c->in[0], c->out[0], c->par);
}

static tn_status plan(tni_plan *c)
{
    int64_t out[TN_MAX_RANK];
    if (c->out[0] == NULL) return TN_OK;
    job *q = TNI_NEW(c->arena, job);
    if (q == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(make(q, c->node, c->in[0]->rank, c->in[0]->dims, c->in[0]->dtype,
                out, c->err));
    c->state = q;
    c->run = run;
    return TN_OK;
}

enum { INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

static const tni_arg in[] = {{"x", INT8S, 'T', 0}};
static const tni_arg out[] = {{"y", INT8S, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"auto_pad", TNI_ATTR_STRING, "NOTSET"},
    {"ceil_mode", TNI_ATTR_INT, "0"},
    {"dilations", TNI_ATTR_INTS, NULL},
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
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_nhwc_max_pool = {.domain = "com.microsoft",
                                     .name = "NhwcMaxPool",
                                     .summary =
                                         "MaxPool with the channels last",
                                     TNI_VERSIONS(versions)};
