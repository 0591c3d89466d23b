/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_non_zero.c - ONNX NonZero, opset 9
 *
 * Shapes:  X[d0 … dn]  ->  Y[n + 1, count]: the index of every element that is
 *          not zero (a string: not empty), in C order
 * Types:   all -> int64
 */
#include "ops/infer.h"
#include "ops/move.h"

static bool is_zero(const tni_tensor *x, int64_t i)
{
    const size_t elem = tn_dtype_size(x->dtype);
    switch (x->dtype) {
    case TN_F32: return !(TNI_CDATA(float, x)[i] != 0.0f);
    case TN_F64: return !(TNI_CDATA(double, x)[i] != 0.0);
    case TN_F16:
    case TN_BF16: return (TNI_CDATA(uint16_t, x)[i] & 0x7fffu) == 0;
    case TN_STRING: return TNI_CDATA(tn_string, x)[i].len == 0;
    case TN_C64:
        return !(TNI_CDATA(float, x)[2 * i] != 0.0f) &&
               !(TNI_CDATA(float, x)[2 * i + 1] != 0.0f);
    case TN_C128:
        return !(TNI_CDATA(double, x)[2 * i] != 0.0) &&
               !(TNI_CDATA(double, x)[2 * i + 1] != 0.0);
    default: break;
    }
    if (elem == 1 && ((TNI_FP8 | TNI_T(TN_F4E2M1)) & TNI_T(x->dtype)) != 0)
        return !(tni_get_f64(x, i) != 0.0);
    const unsigned char *bytes =
        (const unsigned char *)x->data + (size_t)i * elem;
    for (size_t b = 0; b < elem; b++)
        if (bytes[b] != 0) return false;
    return true;
}

static tn_status infer(tni_infer *c)
{
    int64_t dims[2] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN};
    if (tni_infer_ranked(c, 0)) dims[0] = c->in[0]->rank;
    return tni_infer_dims(c, 0, TN_I64, 2, dims);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int64_t dims[2] = {x->rank, 0};
    for (int64_t i = 0; i < x->len; i++) dims[1] += is_zero(x, i) ? 0 : 1;
    TN_TRY(tni_ref_output(c, 0, TN_I64, 2, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    int64_t *y = TNI_DATA(int64_t, c->out[0]), k = 0;
    for (int64_t i = 0; i < x->len; i++) {
        if (is_zero(x, i)) continue;
        int64_t rest = i;
        for (int d = x->rank - 1; d >= 0; d--) {
            y[d * dims[1] + k] = rest % x->dims[d];
            rest /= x->dims[d];
        }
        k++;
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"X", TNI_ANY, 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_T(TN_I64), 0, 0}};

static const tni_op_version versions[] = {
    {.since = 9, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_DATA_SHAPED,
     .infer = infer, .ref = ref},
};

const tni_op tni_op_non_zero = {
    .domain = "",
    .name = "NonZero",
    .summary = "The indices of elements that are not zero",
    TNI_VERSIONS(versions),
};
