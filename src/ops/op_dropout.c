/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dropout.c - ONNX Dropout, opsets 1, 6, 7, 10, 12, 13, 22
 *
 * Shapes:  data[...], ratio, training_mode (one element each, optional from
 *          opset 12) -> output[...], mask[...] (optional)
 * Types:   floats; the mask is bool, before opset 10 of the data's dtype
 * Attrs:   seed (12); ratio (1 to 10); is_test (1 and 6, ignored: before
 *          opset 12 this is inference)
 * Numeric: exact copy in inference; in training the draws are NumPy's
 *          RandomState(seed).uniform, so a seeded node repeats Python's mask
 * Source:  onnx.ai/onnx/operators, Dropout; node tests test_dropout_*,
 *          test_training_dropout*; Matsumoto and Nishimura, Mersenne Twister
 */
#include "ops/elementwise.h"

#include <string.h>

/* --- MT19937 ----------------------------------------------------------- */

enum { MT_LEN = 624, MT_SHIFT = 397 };

typedef struct twister {
    uint32_t state[MT_LEN];
    int at;
} twister;

static void twister_seed(twister *t, uint32_t seed)
{
    t->state[0] = seed;
    for (uint32_t i = 1; i < MT_LEN; i++) {
        const uint32_t before = t->state[i - 1];
        t->state[i] = 1812433253u * (before ^ (before >> 30)) + i;
    }
    t->at = MT_LEN;
}

static void twister_refill(twister *t)
{
    for (int i = 0; i < MT_LEN; i++) {
        const uint32_t v = (t->state[i] & 0x80000000u) |
                           (t->state[(i + 1) % MT_LEN] & 0x7fffffffu);
        t->state[i] = t->state[(i + MT_SHIFT) % MT_LEN] ^ (v >> 1) ^
                      ((v & 1u) != 0 ? 0x9908b0dfu : 0u);
    }
    t->at = 0;
}

static uint32_t twister_next(twister *t)
{
    if (t->at == MT_LEN) twister_refill(t);
    uint32_t v = t->state[t->at++];
    v ^= v >> 11;
    v ^= (v << 7) & 0x9d2c5680u;
    v ^= (v << 15) & 0xefc60000u;
    return v ^ (v >> 18);
}

/* Uniform in [0, 1) with 53 bits. */
static double twister_uniform(twister *t)
{
    const double high = (double)(twister_next(t) >> 5);
    const double low = (double)(twister_next(t) >> 6);
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

/* --- inference --------------------------------------------------------- */

static void fill_mask(tni_tensor *mask)
{
    const double one = 1.0;
    const size_t size = tn_dtype_size(mask->dtype);
    char *to = mask->data;
    for (int64_t i = 0; i < mask->len; i++)
        tni_convert(to + (size_t)i * size, mask->dtype, &one, TN_F64, 1, NULL);
}

static tn_dtype mask_dtype(const tni_node *node, tn_dtype data)
{
    return node->ver->since >= 10 ? TN_BOOL : data;
}

static tn_status infer(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    TN_TRY(tni_infer_same(c, 1, 0));
    if (c->n_out > 1 && c->out[1].kind == TN_KIND_TENSOR)
        c->out[1].dtype = mask_dtype(c->node, c->out[1].dtype);
    return TN_OK;
}

static tn_status copy_all(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(tni_ref_output_copy(c, 0, x));
    TN_TRY(
        tni_ref_output(c, 1, mask_dtype(c->node, x->dtype), x->rank, x->dims));
    if (tni_ref_wants(c, 1)) fill_mask(c->out[1]);
    return TN_OK;
}

/* --- training ---------------------------------------------------------- */

static double scalar(const tni_tensor *const *in, int n_in, int i,
                     double absent)
{
    if (i >= n_in || in[i] == NULL || in[i]->len != 1) return absent;
    return tni_get_f64(in[i], 0);
}

static tn_status drop(tni_ref *c, double ratio)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    TN_TRY(tni_ref_output(c, 1, TN_BOOL, x->rank, x->dims));
    twister *t = tni_ref_scratch(c, sizeof *t);
    if (t == NULL) return tni_ref_nomem(c);
    const bool seeded = tni_attr_find(c->node, "seed") != NULL;
    const uint64_t seed =
        seeded ? (uint64_t)tni_attr_int(c->node, "seed", 0) : c->seed;
    twister_seed(t, (uint32_t)seed);
    const double scale = 1.0 / (1.0 - ratio);
    const size_t size = tn_dtype_size(x->dtype);
    for (int64_t i = 0; i < x->len; i++) {
        const bool keep = twister_uniform(t) >= ratio;
        if (tni_ref_wants(c, 1)) TNI_DATA(uint8_t, c->out[1])[i] = keep;
        if (!tni_ref_wants(c, 0)) continue;
        double v = 0.0;
        tni_convert(&v, TN_F64, TNI_CDATA(char, x) + (size_t)i * size, x->dtype,
                    1, NULL);
        v = keep ? v * scale : 0.0 * v;
        tni_convert(TNI_DATA(char, c->out[0]) + (size_t)i * size, x->dtype, &v,
                    TN_F64, 1, NULL);
    }
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    if (scalar(c->in, c->n_in, 2, 0.0) == 0.0) return copy_all(c);
    const double ratio = scalar(c->in, c->n_in, 1, 0.5);
    if (ratio == 0.0) return copy_all(c);
    if (!(ratio > 0.0 && ratio < 1.0))
        return tni_fail(c->err, TN_EINVAL, "ratio %g is outside [0, 1)", ratio);
    return drop(c, ratio);
}

static void run(const tni_run *c)
{
    const tni_tensor *x = c->in[0];
    const size_t n = (size_t)x->len;
    if (c->out[0] != NULL && c->out[0]->data != x->data && n > 0)
        memcpy(c->out[0]->data, x->data, n * tn_dtype_size(x->dtype));
    if (c->out[1] != NULL) fill_mask(c->out[1]);
}

static void run_one(const tni_run *c)
{
    const tni_tensor *x = c->in[0];
    const size_t n = (size_t)x->len;
    if (c->out[0]->data != x->data && n > 0)
        memcpy(c->out[0]->data, x->data, n * tn_dtype_size(x->dtype));
}

/* Inference has a run when the mode is absent or known to be false. */
static tn_status plan(tni_plan *c)
{
    if (c->n_in > 2 && c->in[2] != NULL) {
        if (c->in_const[2] == NULL || c->in_const[2]->len != 1 ||
            tni_get_i64(c->in_const[2], 0) != 0)
            return TN_OK;
    }
    if (c->out[0] != NULL) c->run = c->n_out > 1 ? run : run_one;
    return TN_OK;
}

#define DTYPES (TNI_FLOATS | TNI_FP8)

static const tni_arg in[] = {
    {"data", DTYPES, 'T', 0},
    {"ratio", DTYPES, 0, TNI_OPTIONAL},
    {"training_mode", TNI_BOOLS, 0, TNI_OPTIONAL},
};
static const tni_arg in_1[] = {{"data", TNI_FLOATS, 'T', 0}};
static const tni_arg out[] = {
    {"output", DTYPES, 'T', 0},
    {"mask", TNI_BOOLS, 0, TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", TNI_FLOATS, 'T', 0},
    {"mask", TNI_FLOATS, 'T', TNI_OPTIONAL},
};

static const tni_attr_spec attrs[] = {{"seed", TNI_ATTR_INT, NULL}};
static const tni_attr_spec attrs_7[] = {{"ratio", TNI_ATTR_FLOAT, "0.5"}};
static const tni_attr_spec attrs_1[] = {
    {"consumed_inputs", TNI_ATTR_INTS, NULL}, /* opset 1 */
    {"is_test", TNI_ATTR_INT, "0"},
    {"ratio", TNI_ATTR_FLOAT, "0.5"},
};

static const tni_op_version versions[] = {
    {.since = 12,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .traits = TNI_IMPURE | TNI_INPLACE,
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 10,
     TNI_IN(in_1),
     TNI_OUT(out),
     TNI_ATTRS(attrs_7),
     .traits = TNI_VIEW,
     .infer = infer,
     .ref = copy_all,
     .plan = plan},
    {.since = 7,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_7),
     .traits = TNI_VIEW,
     .infer = infer,
     .ref = copy_all,
     .plan = plan},
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .traits = TNI_VIEW,
     .infer = infer,
     .ref = copy_all,
     .plan = plan},
};

const tni_op tni_op_dropout = {
    .domain = "",
    .name = "Dropout",
    .summary = "Its input; in training with elements set to zero at random",
    TNI_VERSIONS(versions),
};
