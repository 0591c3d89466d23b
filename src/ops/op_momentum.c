/* SPDX-License-Identifier: Apache-2.0 */
/* op_momentum.c - ai.onnx.preview.training Momentum; see train.h */
#include "ops/train.h"

static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "required"},
    {"beta", TNI_ATTR_FLOAT, "required"},
    {"mode", TNI_ATTR_STRING, "required"},
    {"norm_coefficient", TNI_ATTR_FLOAT, "required"},
};

enum { ALPHA, BETA, NORM, NESTEROV };

static void update(const tni_train *t, tni_train_cell *e)
{
    const double *const a = t->a;
    const double g = a[NORM] * e->x + e->g;
    const double beta = t->step > 0 ? a[BETA] : 1.0;
    e->s[0] = a[ALPHA] * e->s[0] + beta * g;
    e->x -= t->rate * (a[NESTEROV] != 0 ? g + a[ALPHA] * e->s[0] : e->s[0]);
}

static tn_status momentum_infer(tni_infer *c)
{
    if (!tni_attr_is(c->node, "mode", "standard", NULL) &&
        !tni_attr_is(c->node, "mode", "nesterov", NULL))
        return tni_fail(c->err, TN_EINVAL, "mode is not standard or nesterov");
    return tni_train_infer(c, 1);
}

static tn_status momentum_ref(tni_ref *c)
{
    tni_train t = {.n_states = 1, .update = update};
    t.a[ALPHA] = (double)tni_attr_float(c->node, "alpha", 0);
    t.a[BETA] = (double)tni_attr_float(c->node, "beta", 0);
    t.a[NORM] = (double)tni_attr_float(c->node, "norm_coefficient", 0);
    t.a[NESTEROV] = tni_attr_is(c->node, "mode", "nesterov", NULL) ? 1 : 0;
    return tni_train_ref(c, &t);
}

static const tni_op_version momentum_versions[] = {
    {.since = 1,
     TNI_IN(tni_train_in),
     TNI_OUT(tni_train_out),
     TNI_ATTRS(attrs_1),
     .infer = momentum_infer,
     .ref = momentum_ref},
};

const tni_op tni_op_momentum = {
    .domain = "ai.onnx.preview.training",
    .name = "Momentum",
    .summary = "A step of gradient descent with momentum.",
    TNI_VERSIONS(momentum_versions),
};
