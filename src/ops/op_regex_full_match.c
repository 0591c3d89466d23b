/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_regex_full_match.c - ONNX RegexFullMatch, opset 20
 *
 * Shapes:  X[…]  ->  Y[…]
 * Types:   string -> bool
 * Attrs:   pattern, in RE2's syntax (regex.h says how much of it)
 * Errors:  EINVAL the pattern is malformed
 */
#include "ops/infer.h"
#include "ops/regex.h"

static tn_status infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_BOOL);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    return tni_infer_dims(c, 0, TN_BOOL, c->in[0]->rank, c->in[0]->dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tni_regex *re = NULL;
    TN_TRY(tni_regex_new(&re, tni_attr_string(c->node, "pattern"), c->scratch,
                         c->err));
    tni_regex_matcher *m = tni_regex_matcher_new(re, c->scratch);
    if (m == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_ref_output(c, 0, TN_BOOL, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    uint8_t *y = TNI_DATA(uint8_t, c->out[0]);
    for (int64_t i = 0; i < x->len; i++)
        y[i] = tni_regex_full(m, TNI_CDATA(tn_string, x)[i]);
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_STRINGS, 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_BOOLS, 0, 0}};
static const tni_attr_spec attrs[] = {{"pattern", TNI_ATTR_STRING, NULL}};

static const tni_op_version versions[] = {
    {.since = 20, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_regex_full_match = {
    .domain = "",
    .name = "RegexFullMatch",
    .summary = "Whether strings match a regular expression",
    TNI_VERSIONS(versions),
};
