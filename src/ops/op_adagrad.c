/* SPDX-License-Identifier: Apache-2.0 */
/* op_adagrad.c - ai.onnx.preview.training Adagrad; see train.h */
#include "ops/train.h"

#include <math.h>

static const tni_attr_spec attrs_1[] = {
    {"decay_factor", TNI_ATTR_FLOAT, "0"},
    {"epsilon", TNI_ATTR_FLOAT, "1e-6"},
    {"norm_coefficient", TNI_ATTR_FLOAT, "0"},
};

enum { RATE, EPSILON, NORM };

static void update(const tni_train *t, tni_train_cell *e)
{
    const double g = t->a[NORM] * e->x + e->g;
    e->s[0] += g * g;
    e->x -= t->a[RATE] * g / (sqrt(e->s[0]) + t->a[EPSILON]);
}

static tn_status adagrad_infer(tni_infer *c)
{
    return tni_train_infer(c, 1);
}

static tn_status adagrad_ref(tni_ref *c)
{
    const double decay = (double)tni_attr_float(c->node, "decay_factor", 0);
    tni_train t = {.n_states = 1, .update = update};
    if (c->in[0]->len != 1 || c->in[1]->len != 1)
        return tni_fail(c->err, TN_EINVAL, "R and T must be scalars");
    t.a[RATE] = tni_get_f64(c->in[0], 0) /
                (1.0 + (double)tni_get_i64(c->in[1], 0) * decay);
    t.a[EPSILON] = (double)tni_attr_float(c->node, "epsilon", 1e-6f);
    t.a[NORM] = (double)tni_attr_float(c->node, "norm_coefficient", 0);
    return tni_train_ref(c, &t);
}

static const tni_op_version adagrad_versions[] = {
    {.since = 1,
     TNI_IN(tni_train_in),
     TNI_OUT(tni_train_out),
     TNI_ATTRS(attrs_1),
     .infer = adagrad_infer,
     .ref = adagrad_ref},
};

const tni_op tni_op_adagrad = {
    .domain = "ai.onnx.preview.training",
    .name = "Adagrad",
    .summary = "A step of the Adagrad optimiser.",
    TNI_VERSIONS(adagrad_versions),
};
