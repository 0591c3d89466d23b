/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_lookup.c - tenon.Lookup: any function of one 8-bit number, as a table
 *
 * Shapes:  x[…], table[256] -> y[…]; the table is indexed by x's byte
 * Types:   x u8, s8; table and y u8, s8
 * Numeric: exact
 * Source:  ours: what is between DequantizeLinear and QuantizeLinear becomes
 *          one, see pass_fuse_qdq.c
 */
#include "ops/infer.h"

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR)
        c->out[0].dtype = tni_infer_dtype(c, 1);
    return TN_OK;
}

typedef struct job {
    const uint8_t *x, *table;
    uint8_t *y;
} job;

enum { PIECE = 16384 };

typedef struct pieces {
    job j;
    size_t len;
} pieces;

static void look_up(void *ctx, size_t begin, size_t end, int worker)
{
    const pieces *p = ctx;
    (void)worker;
    const size_t last = end * PIECE < p->len ? end * PIECE : p->len;
    for (size_t i = begin * PIECE; i < last; i++)
        p->j.y[i] = p->j.table[p->j.x[i]];
}

static void start(const tni_tensor *x, const tni_tensor *table, tni_tensor *y,
                  const tni_par *par)
{
    pieces p = {{x->data, table->data, y->data}, (size_t)x->len};
    tni_par_for(par, (p.len + PIECE - 1) / PIECE, look_up, &p);
}

static tn_status check(int64_t len, tn_err *err)
{
    if (len == 256) return TN_OK;
    return tni_fail(err, TN_EINVAL, "a table of %lld values, expected 256",
                    (long long)len);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *table = c->in[1];
    TN_TRY(check(table->len, c->err));
    TN_TRY(tni_ref_output(c, 0, table->dtype, x->rank, x->dims));
    if (tni_ref_wants(c, 0)) start(x, table, c->out[0], c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    start(c->in[0], c->in[1], c->out[0], c->par);
}

static tn_status plan(tni_plan *c)
{
    int64_t len = 0;
    (void)tni_dims_len(&len, c->in[1]->rank, c->in[1]->dims);
    TN_TRY(check(len, c->err));
    if (c->out[0] != NULL) c->run = run;
    return TN_OK;
}

enum { INT8S = TNI_T(TN_U8) | TNI_T(TN_I8) };

static const tni_arg in[] = {
    {"x", INT8S, 0, 0},
    {"table", INT8S, 'Y', 0},
};
static const tni_arg out[] = {{"y", INT8S, 'Y', 0}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_lookup = {.domain = "tenon",
                              .name = "Lookup",
                              .summary = "function of 8-bit numbers, by table",
                              TNI_VERSIONS(versions)};
