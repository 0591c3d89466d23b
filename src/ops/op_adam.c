/* SPDX-License-Identifier: Apache-2.0 */
/* op_adam.c - ai.onnx.preview.training Adam; see train.h */
#include "ops/train.h"

#include <math.h>

static const tni_attr_spec attrs_1[] = {
    {"alpha", TNI_ATTR_FLOAT, "0.9"},
    {"beta", TNI_ATTR_FLOAT, "0.999"},
    {"epsilon", TNI_ATTR_FLOAT, "1e-6"},
    {"norm_coefficient", TNI_ATTR_FLOAT, "0"},
    {"norm_coefficient_post", TNI_ATTR_FLOAT, "0"},
};

enum { ALPHA, BETA, EPSILON, NORM, POST };

static void update(const tni_train *t, tni_train_cell *e)
{
    const double *const a = t->a;
    const double g = a[NORM] * e->x + e->g;
    double rate = t->rate;
    if (t->step > 0)
        rate *= sqrt(1.0 - pow(a[BETA], (double)t->step)) /
                (1.0 - pow(a[ALPHA], (double)t->step));
    e->s[0] = a[ALPHA] * e->s[0] + (1.0 - a[ALPHA]) * g;
    e->s[1] = a[BETA] * e->s[1] + (1.0 - a[BETA]) * g * g;
    e->x -= rate * e->s[0] / (sqrt(e->s[1]) + a[EPSILON]);
    e->x *= 1.0 - a[POST];
}

static tn_status adam_infer(tni_infer *c)
{
    return tni_train_infer(c, 2);
}

static tn_status adam_ref(tni_ref *c)
{
    tni_train t = {.n_states = 2, .update = update};
    t.a[ALPHA] = (double)tni_attr_float(c->node, "alpha", 0.9f);
    t.a[BETA] = (double)tni_attr_float(c->node, "beta", 0.999f);
    t.a[EPSILON] = (double)tni_attr_float(c->node, "epsilon", 1e-6f);
    t.a[NORM] = (double)tni_attr_float(c->node, "norm_coefficient", 0);
    t.a[POST] = (double)tni_attr_float(c->node, "norm_coefficient_post", 0);
    return tni_train_ref(c, &t);
}

static const tni_op_version adam_versions[] = {
    {.since = 1,
     TNI_IN(tni_train_in),
     TNI_OUT(tni_train_out),
     TNI_ATTRS(attrs_1),
     .infer = adam_infer,
     .ref = adam_ref},
};

const tni_op tni_op_adam = {
    .domain = "ai.onnx.preview.training",
    .name = "Adam",
    .summary = "A step of the Adam optimiser.",
    TNI_VERSIONS(adam_versions),
};
