/* SPDX-License-Identifier: Apache-2.0 */
/* train.c - one step of an optimiser over a list of tensors */
#include "ops/train.h"

#include "ops/nn.h"

#define T (TNI_T(TN_F32) | TNI_T(TN_F64))

const tni_arg tni_train_in[3] = {
    {"R", T, 0, 0},
    {"T", TNI_T(TN_I64), 0, 0},
    {"inputs", T, 0, TNI_VARIADIC | TNI_HETERO},
};
const tni_arg tni_train_out[1] = {{"outputs", T, 0, TNI_VARIADIC | TNI_HETERO}};

/* Tensors optimised at once. */
static tn_status count(int *n, int n_in, int n_states, tn_err *err)
{
    if (n_in < 2 || (n_in - 2) % (n_states + 2) != 0)
        return tni_fail(err, TN_EINVAL,
                        "%d inputs do not divide into groups of %d", n_in - 2,
                        n_states + 2);
    *n = (n_in - 2) / (n_states + 2);
    return TN_OK;
}

tn_status tni_train_infer(tni_infer *c, int n_states)
{
    int n = 0;
    TN_TRY(count(&n, c->n_in, n_states, c->err));
    for (int i = 0; i < c->n_out && i < n * (n_states + 1); i++)
        TN_TRY(tni_infer_same(c, i, i < n ? 2 + i : 2 + n + i));
    return TN_OK;
}

static tn_status train_one(tni_ref *c, const tni_train *t, int n, int k)
{
    const tni_tensor *const like = c->in[2 + k];
    const double *x = NULL, *g = NULL, *s[TNI_TRAIN_STATES] = {NULL};
    double *to[TNI_TRAIN_STATES + 1] = {NULL};
    for (int i = 1; i < t->n_states + 2; i++)
        if (c->in[2 + k + i * n]->len != like->len)
            return tni_fail(c->err, TN_EINVAL, "input %d differs in size",
                            2 + k + i * n);
    TN_TRY(tni_nn_load(c, like, &x));
    TN_TRY(tni_nn_load(c, c->in[2 + k + n], &g));
    for (int i = 0; i < t->n_states; i++)
        TN_TRY(tni_nn_load(c, c->in[2 + k + (i + 2) * n], &s[i]));
    for (int i = 0; i < t->n_states + 1; i++) {
        const tni_tensor *const from =
            i == 0 ? like : c->in[2 + k + (i + 1) * n];
        TN_TRY(
            tni_ref_output(c, k + i * n, from->dtype, from->rank, from->dims));
        TN_TRY(tni_nn_open(c, k + i * n, &to[i]));
    }
    for (int64_t e = 0; e < like->len; e++) {
        tni_train_cell cell = {.x = x[e], .g = g[e]};
        for (int i = 0; i < t->n_states; i++) cell.s[i] = s[i][e];
        t->update(t, &cell);
        if (to[0] != NULL) to[0][e] = cell.x;
        for (int i = 0; i < t->n_states; i++)
            if (to[i + 1] != NULL) to[i + 1][e] = cell.s[i];
    }
    for (int i = 0; i < t->n_states + 1; i++) tni_nn_store(c, k + i * n, to[i]);
    return TN_OK;
}

tn_status tni_train_ref(tni_ref *c, tni_train *t)
{
    int n = 0;
    TN_TRY(count(&n, c->n_in, t->n_states, c->err));
    if (c->in[0]->len != 1 || c->in[1]->len != 1)
        return tni_fail(c->err, TN_EINVAL, "R and T must be scalars");
    t->rate = tni_get_f64(c->in[0], 0);
    t->step = tni_get_i64(c->in[1], 0);
    for (int k = 0; k < n; k++) TN_TRY(train_one(c, t, n, k));
    return TN_OK;
}
