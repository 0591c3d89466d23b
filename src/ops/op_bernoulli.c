/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bernoulli.c - ONNX Bernoulli, opset 15
 *
 * Shapes:  input[…] of probabilities  ->  output alike, 1 or 0
 * Types:   floats -> numbers and bool
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/random.h"

static tn_status dtype_of(tn_dtype *out, const tni_node *node, tn_dtype in,
                          tn_err *err)
{
    TN_TRY(tni_attr_dtype(out, node, "dtype",
                          in == TN_UNDEFINED ? TN_F32 : in, err));
    if (((TNI_NUMERIC | TNI_BOOLS) & TNI_T(*out)) != 0) return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED, "dtype %s", tn_dtype_name(*out));
}

static tn_status infer(tni_infer *c)
{
    tn_dtype dtype = TN_F32;
    TN_TRY(dtype_of(&dtype, c->node, tni_infer_dtype(c, 0), c->err));
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    return tni_infer_dims(c, 0, dtype, c->in[0]->rank, c->in[0]->dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tn_dtype dtype = TN_F32;
    TN_TRY(dtype_of(&dtype, c->node, x->dtype, c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const uint64_t seed = tni_random_seed(c);
    for (int64_t i = 0; i < x->len; i++) {
        const double u = tni_random_uniform(seed, (uint64_t)i);
        tni_set_f64(c->out[0], i, u < tni_get_f64(x, i) ? 1.0 : 0.0);
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_FLOATS, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_NUMERIC | TNI_BOOLS, 0, 0}};
static const tni_attr_spec attrs[] = {{"dtype", TNI_ATTR_INT, NULL},
                                      {"seed", TNI_ATTR_FLOAT, NULL}};

static const tni_op_version versions[] = {
    {.since = 15, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .traits = TNI_IMPURE, .infer = infer, .ref = ref},
};

const tni_op tni_op_bernoulli = {
    .domain = "",
    .name = "Bernoulli",
    .summary = "Ones with given probabilities",
    TNI_VERSIONS(versions),
};
