/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_bit_cast.c - ONNX BitCast, opset 26
 *
 * Shapes:  x[...] -> y[...]
 * Types:   all but string; both of one bit width
 * Attrs:   to
 * Numeric: exact. 2- and 4-bit elements lie one per byte: signed ones are sign
 *          extended, the others zero extended
 * Source:  onnx.ai/onnx/operators, BitCast; node tests test_bitcast_*
 */
#include "ops/elementwise.h"

#include <string.h>

static int bit_width(tn_dtype dtype)
{
    switch (dtype) {
    case TN_U2:
    case TN_I2: return 2;
    case TN_U4:
    case TN_I4:
    case TN_F4E2M1: return 4;
    case TN_STRING:
    case TN_UNDEFINED: return 0;
    default: return (int)tn_dtype_size(dtype) * 8;
    }
}

static tn_status target(tn_dtype *to, const tni_node *node, tn_dtype from,
                        tn_err *err)
{
    const int64_t v = tni_attr_int(node, "to", 0);
    if (v <= 0 || v >= TN_DTYPE_COUNT || bit_width((tn_dtype)v) == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "attribute 'to' is %lld, not a dtype to cast to",
                        (long long)v);
    *to = (tn_dtype)v;
    if (from != TN_UNDEFINED && bit_width(from) != bit_width(*to))
        return tni_fail(err, TN_EINVAL, "%s to %s changes the width",
                        tn_dtype_name(from), tn_dtype_name(*to));
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tn_dtype to = TN_UNDEFINED;
    TN_TRY(target(&to, c->node, tni_infer_dtype(c, 0), c->err));
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR) c->out[0].dtype = to;
    return TN_OK;
}

/* Elements of less than a byte, and bool, whose byte is 0 or 1. */
static void small(uint8_t *y, tn_dtype to, const uint8_t *x, size_t n)
{
    const int width = bit_width(to);
    const bool sign = to == TN_I4 || to == TN_I2;
    const int ones = (1 << width) - 1, top = 1 << (width - 1);
    for (size_t i = 0; i < n; i++) {
        const int bits = x[i] & ones;
        if (to == TN_BOOL)
            y[i] = bits != 0;
        else
            y[i] = (uint8_t)(sign ? (bits ^ top) - top : bits);
    }
}

static void bit_cast(tni_tensor *y, const tni_tensor *x)
{
    const size_t n = (size_t)x->len;
    if (n == 0) return;
    if (bit_width(y->dtype) < 8 || y->dtype == TN_BOOL)
        small(y->data, y->dtype, x->data, n);
    else if (y->data != x->data)
        memcpy(y->data, x->data, n * tn_dtype_size(x->dtype));
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tn_dtype to = TN_UNDEFINED;
    TN_TRY(target(&to, c->node, x->dtype, c->err));
    TN_TRY(tni_ref_output(c, 0, to, x->rank, x->dims));
    if (tni_ref_wants(c, 0)) bit_cast(c->out[0], x);
    return TN_OK;
}

static void run(const tni_run *c)
{
    bit_cast(c->out[0], c->in[0]);
}

static tn_status plan(tni_plan *c)
{
    if (c->out[0] != NULL) c->run = run;
    return TN_OK;
}

static const tni_arg in[] = {{"input", TNI_ALL_BUT_STRINGS, 0, 0}};
static const tni_arg out[] = {{"output", TNI_ALL_BUT_STRINGS, 0, 0}};

static const tni_attr_spec attrs[] = {{"to", TNI_ATTR_INT, "required"}};

static const tni_op_version versions[] = {
    {.since = 26,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_bit_cast = {
    .domain = "",
    .name = "BitCast",
    .summary = "The same bits read as another dtype",
    TNI_VERSIONS(versions),
};
