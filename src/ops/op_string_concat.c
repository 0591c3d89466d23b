/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_string_concat.c - ONNX StringConcat, opset 20
 *
 * Shapes:  X, Y broadcast together  ->  Z
 * Types:   string
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status broadcast(int64_t *dims, int *rank, const tni_tensor *x,
                           const tni_tensor *y, tn_err *err)
{
    *rank = x->rank > y->rank ? x->rank : y->rank;
    for (int d = 0; d < *rank; d++) {
        const int i = d - (*rank - x->rank), j = d - (*rank - y->rank);
        if (!tni_dim_broadcast(&dims[d], i < 0 ? 1 : x->dims[i],
                               j < 0 ? 1 : y->dims[j])) {
            char a[120], b[120];
            return tni_fail(err, TN_EINVAL, "%s does not broadcast with %s",
                            tni_shape_text(a, sizeof a, x),
                            tni_shape_text(b, sizeof b, y));
        }
    }
    return TN_OK;
}

/* Element of `t` at index `at` of the broadcast shape. */
static const tn_string *element(const tni_tensor *t, int rank,
                                const int64_t *at)
{
    int64_t off = 0, step = 1;
    for (int d = t->rank - 1; d >= 0; d--) {
        if (t->dims[d] != 1) off += at[rank - t->rank + d] * step;
        step *= t->dims[d];
    }
    return &TNI_CDATA(tn_string, t)[off];
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *y = c->in[1];
    int64_t dims[TN_MAX_RANK], at[TN_MAX_RANK] = {0};
    int rank = 0;
    TN_TRY(broadcast(dims, &rank, x, y, c->err));
    TN_TRY(tni_ref_output(c, 0, TN_STRING, rank, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tn_string *z = TNI_DATA(tn_string, c->out[0]);
    for (int64_t i = 0; i < c->out[0]->len; i++) {
        const tn_string *a = element(x, rank, at), *b = element(y, rank, at);
        size_t len = 0;
        if (!tni_add_size(a->len, b->len, &len)) return tni_ref_nomem(c);
        char *text = tni_arena_alloc(c->out_arena, len > 0 ? len : 1, 1);
        if (text == NULL) return tni_ref_nomem(c);
        if (a->len > 0) memcpy(text, a->ptr, a->len);
        if (b->len > 0) memcpy(text + a->len, b->ptr, b->len);
        z[i] = (tn_string){text, len};
        for (int d = rank - 1; d >= 0 && ++at[d] == dims[d]; d--) at[d] = 0;
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_STRINGS, 'T', 0},
                              {"Y", TNI_STRINGS, 'T', 0}};
static const tni_arg outs[] = {{"Z", TNI_STRINGS, 'T', 0}};

static const tni_op_version versions[] = {
    {.since = 20, TNI_IN(ins), TNI_OUT(outs), .infer = tni_infer_broadcast,
     .ref = ref},
};

const tni_op tni_op_string_concat = {
    .domain = "",
    .name = "StringConcat",
    .summary = "Joins strings element by element",
    TNI_VERSIONS(versions),
};
