/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_multinomial.c - ONNX Multinomial, opset 7
 *
 * Shapes:  input[b, n] of log probabilities  ->  output[b, sample_size] of
 *          class numbers
 * Types:   floats -> int32 or int64
 * Errors:  EINVAL no class has a probability
 */
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/random.h"

static tn_status params(tn_dtype *dtype, int64_t *size, const tni_node *node,
                        tn_err *err)
{
    TN_TRY(tni_attr_dtype(dtype, node, "dtype", TN_I32, err));
    *size = tni_attr_int(node, "sample_size", 1);
    if (*dtype != TN_I32 && *dtype != TN_I64)
        return tni_fail(err, TN_EUNSUPPORTED, "dtype %s",
                        tn_dtype_name(*dtype));
    if (*size < 0)
        return tni_fail(err, TN_EINVAL, "sample_size %lld", (long long)*size);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    tn_dtype dtype = TN_I32;
    int64_t dims[2] = {TNI_DIM_UNKNOWN, 0};
    TN_TRY(params(&dtype, &dims[1], c->node, c->err));
    if (tni_infer_ranked(c, 0)) {
        if (c->in[0]->rank != 2)
            return tni_fail(c->err, TN_EINVAL, "rank %d, expected 2",
                            c->in[0]->rank);
        dims[0] = c->in[0]->dims[0];
    }
    return tni_infer_dims(c, 0, dtype, 2, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tn_dtype dtype = TN_I32;
    if (x->rank != 2)
        return tni_fail(c->err, TN_EINVAL, "rank %d, expected 2", x->rank);
    int64_t dims[2] = {x->dims[0], 0};
    TN_TRY(params(&dtype, &dims[1], c->node, c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, 2, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const int64_t n = x->dims[1];
    const uint64_t seed = tni_random_seed(c);
    double *sums = tni_ref_scratch(c, (size_t)(n > 0 ? n : 1) * sizeof *sums);
    if (sums == NULL) return tni_ref_nomem(c);
    for (int64_t b = 0; b < dims[0]; b++) {
        double top = -HUGE_VAL, sum = 0.0;
        for (int64_t i = 0; i < n; i++)
            if (tni_get_f64(x, b * n + i) > top)
                top = tni_get_f64(x, b * n + i);
        for (int64_t i = 0; i < n; i++)
            sums[i] = sum += exp(tni_get_f64(x, b * n + i) - top);
        if (!(sum > 0.0))
            return tni_fail(c->err, TN_EINVAL,
                            "row %lld has no class of positive probability",
                            (long long)b);
        for (int64_t s = 0; s < dims[1]; s++) {
            const int64_t at = b * dims[1] + s;
            const double u = tni_random_uniform(seed, (uint64_t)at) * sum;
            int64_t lo = 0, hi = n - 1;
            while (lo < hi) {
                const int64_t mid = lo + (hi - lo) / 2;
                if (sums[mid] > u)
                    hi = mid;
                else
                    lo = mid + 1;
            }
            if (dtype == TN_I32)
                TNI_DATA(int32_t, c->out[0])[at] = (int32_t)lo;
            else
                TNI_DATA(int64_t, c->out[0])[at] = lo;
        }
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_FLOATS, 0, 0}};
static const tni_arg outs[] = {{"output", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_attr_spec attrs[] = {{"dtype", TNI_ATTR_INT, "6"},
                                      {"sample_size", TNI_ATTR_INT, "1"},
                                      {"seed", TNI_ATTR_FLOAT, NULL}};

static const tni_op_version versions[] = {
    {.since = 7,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs),
     .traits = TNI_IMPURE,
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_multinomial = {
    .domain = "",
    .name = "Multinomial",
    .summary = "Draws class numbers from distributions",
    TNI_VERSIONS(versions),
};
