/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_where.c - ONNX Where, opsets 9, 16
 *
 * Shapes:  condition, x, y broadcast -> z
 * Types:   condition bool; x and y all
 * Numeric: exact
 * Source:  onnx.ai/onnx/operators, Where; node tests test_where*
 */
#include "ops/elementwise.h"

#include <string.h>

typedef struct where_job {
    tni_bcast bcast;
    int64_t stride[3 * TN_MAX_RANK];
    size_t size;
    const uint8_t *cond;
    const char *x, *y;
    char *z;
} where_job;

/* The condition varies; x and y do or are one element. */
#define WHERE_LOOP(name, T)                                                    \
    static void name(void *to, const uint8_t *cond, const void *x, size_t sx,  \
                     const void *y, size_t sy, size_t n)                       \
    {                                                                          \
        const T *a = x, *b = y;                                                \
        T *z = to;                                                             \
        if (sx != 0 && sy != 0) {                                              \
            for (size_t i = 0; i < n; i++) z[i] = cond[i] != 0 ? a[i] : b[i];  \
        } else if (sx != 0) {                                                  \
            const T other = b[0];                                              \
            for (size_t i = 0; i < n; i++) z[i] = cond[i] != 0 ? a[i] : other; \
        } else {                                                               \
            const T one = a[0];                                                \
            for (size_t i = 0; i < n; i++)                                     \
                z[i] = cond[i] != 0 ? one : b[i * sy];                         \
        }                                                                      \
    }

typedef struct pair64 {
    uint64_t v[2];
} pair64;

WHERE_LOOP(where_1, uint8_t)
WHERE_LOOP(where_2, uint16_t)
WHERE_LOOP(where_4, uint32_t)
WHERE_LOOP(where_8, uint64_t)
WHERE_LOOP(where_16, pair64)

static void where_piece(void *ctx, int64_t at, size_t n)
{
    const where_job *j = ctx;
    const tni_bcast *b = &j->bcast;
    const uint8_t *cond = j->cond + tni_bcast_offset(b, 0, at);
    const char *x = j->x + tni_bcast_offset(b, 1, at) * j->size;
    const char *y = j->y + tni_bcast_offset(b, 2, at) * j->size;
    char *z = j->z + (size_t)at * j->size;
    const size_t sc = tni_bcast_step(b, 0), sx = tni_bcast_step(b, 1);
    const size_t sy = tni_bcast_step(b, 2);
    if (sc == 0) { /* one choice for the row */
        const bool first = cond[0] != 0;
        const char *from = first ? x : y;
        const size_t step = (first ? sx : sy) * j->size;
        if (step != 0) {
            if (z != from) memcpy(z, from, n * j->size);
        } else {
            for (size_t i = 0; i < n; i++)
                memcpy(z + i * j->size, from, j->size);
        }
        return;
    }
    switch (j->size) {
    case 1: where_1(z, cond, x, sx, y, sy, n); break;
    case 2: where_2(z, cond, x, sx, y, sy, n); break;
    case 4: where_4(z, cond, x, sx, y, sy, n); break;
    case 8: where_8(z, cond, x, sx, y, sy, n); break;
    default: where_16(z, cond, x, sx, y, sy, n); break;
    }
}

static void where_start(where_job *j, const tni_tensor *const *in,
                        tni_tensor *out, const tni_par *par)
{
    j->cond = in[0]->data;
    j->x = in[1]->data;
    j->y = in[2]->data;
    j->z = out->data;
    tni_bcast_for(&j->bcast, par, where_piece, j);
}

static tn_status ref(tni_ref *c)
{
    const tn_dtype dtype = c->in[1]->dtype;
    where_job j = {.size = tn_dtype_size(dtype)};
    tni_shape in[3], out;
    for (int k = 0; k < 3; k++) tni_shape_of(&in[k], c->in[k]);
    TN_TRY(tni_bcast_shape(&out, in, 3, c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, out.rank, out.dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_bcast_init(&j.bcast, j.stride, &out, in, 3);
    where_start(&j, c->in, c->out[0], c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    where_job j = *(const where_job *)c->state;
    where_start(&j, c->in, c->out[0], c->par);
}

static tn_status plan(tni_plan *c)
{
    if (c->out[0] == NULL) return TN_OK;
    where_job *j = TNI_NEW(c->arena, where_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->size = tn_dtype_size(c->in[1]->dtype);
    tni_shape in[3], out;
    for (int k = 0; k < 3; k++) tni_shape_of_type(&in[k], c->in[k]);
    tni_shape_of_type(&out, c->out[0]);
    tni_bcast_init(&j->bcast, j->stride, &out, in, 3);
    c->state = j;
    c->run = run;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tn_dtype dtype = tni_infer_dtype(c, 1);
    if (dtype == TN_UNDEFINED) dtype = tni_infer_dtype(c, 2);
    return tni_infer_broadcast_n(c, 0, 3, 0, dtype);
}

static const tni_arg in[] = {
    {"condition", TNI_BOOLS, 0, 0},
    {"X", TNI_ANY, 'T', 0},
    {"Y", TNI_ANY, 'T', 0},
};
static const tni_arg out[] = {{"output", TNI_ANY, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 9,
     TNI_IN(in),
     TNI_OUT(out),
     .traits = TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_where = {
    .domain = "",
    .name = "Where",
    .summary = "x where the condition holds, else y",
    TNI_VERSIONS(versions),
};
