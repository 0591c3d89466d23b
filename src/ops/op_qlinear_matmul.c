/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_qlinear_matmul.c - ONNX QLinearMatMul, opsets 10, 21
 *
 * Shapes:  as MatMul; scale and zero point one for all, one for each row of a,
 *          one for each column of b
 * Types:   u8, s8 for a, b and y in any combination; scales f32, from 21 f16
 *          and bf16; from 21 fp8 as well
 * Numeric: exact sums, one float product, rounded half to even; fp8 in float
 * Source:  github.com/onnx/onnx docs/Operators.md#QLinearMatMul
 */
#include "ops/integer.h"
#include "ops/nn.h"
#include "tensor/half.h"

static const tni_int_roles roles = {0, 3, 2, 5, 1, 4, 6, 7, -1};
static const tni_product_view view;

static tn_status infer(tni_infer *c)
{
    return tni_int_product_infer(c, &roles, view, view);
}

/* Value i of a parameter that has one entry or one for each. */
static double param(const tni_tensor *t, int64_t i)
{
    return tni_get_f64(t, t->len == 1 ? 0 : i);
}

/* fp8: every element to a number, zero points are not used (they are 0). */
static tn_status ref_fp8(tni_ref *c)
{
    const tni_tensor *a = c->in[0], *b = c->in[3];
    tni_product p;
    tni_type ta, tb;
    int64_t dims[TN_MAX_RANK];
    tni_type_of(&ta, a);
    tni_type_of(&tb, b);
    TN_TRY(tni_product_make(&p, &ta, &tb, view, view, c->err));
    const int rank = tni_product_dims(&p, dims);
    const tn_dtype dtype = c->in[7]->dtype;
    TN_TRY(tni_ref_output(c, 0, dtype, rank, dims));
    const double sy = tni_get_f64(c->in[6], 0), zy = tni_get_f64(c->in[7], 0);
    for (int64_t at = 0; at < c->out[0]->len; at++) {
        const int64_t col = at % p.n, row = at / p.n % p.m;
        int64_t batch = at / p.n / p.m, oa = 0, ob = 0;
        for (int d = p.batch_rank - 1; d >= 0; d--) {
            oa += batch % p.batch[d] * p.a_step[d];
            ob += batch % p.batch[d] * p.b_step[d];
            batch /= p.batch[d];
        }
        double sum = 0.0;
        for (int64_t k = 0; k < p.k; k++)
            sum +=
                (tni_get_f64(a, oa + row * p.lda + k) - param(c->in[2], row)) *
                (tni_get_f64(b, ob + k * p.ldb + col) - param(c->in[5], col));
        const double v =
            sum * param(c->in[1], row) * param(c->in[4], col) / sy + zy;
        if (dtype == TN_U8 || dtype == TN_I8)
            return tni_fail(c->err, TN_EUNSUPPORTED,
                            "fp8 operands with an integer output");
        TNI_DATA(uint8_t, c->out[0])[at] = tni_f32_to_f8(dtype, (float)v, true);
    }
    return TN_OK;
}

static bool is_int8(tn_dtype t)
{
    return t == TN_U8 || t == TN_I8;
}

static tn_status ref(tni_ref *c)
{
    if (!is_int8(c->in[0]->dtype) || !is_int8(c->in[3]->dtype) ||
        !is_int8(c->in[7]->dtype))
        return ref_fp8(c);
    return tni_int_product_ref(c, &roles, view, view);
}

static tn_status plan(tni_plan *c)
{
    if (!is_int8(c->in[0]->dtype) || !is_int8(c->in[3]->dtype) ||
        !is_int8(c->in[7]->dtype))
        return TN_OK;
    return tni_int_product_plan(c, &roles, view, view);
}

#define SCALES (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))
#define TYPES  (TNI_INT8S | TNI_FP8)

static const tni_arg in10[] = {
    {"a", TNI_INT8S, 'A', 0},
    {"a_scale", TNI_T(TN_F32), 0, 0},
    {"a_zero_point", TNI_INT8S, 'A', 0},
    {"b", TNI_INT8S, 'B', 0},
    {"b_scale", TNI_T(TN_F32), 0, 0},
    {"b_zero_point", TNI_INT8S, 'B', 0},
    {"y_scale", TNI_T(TN_F32), 0, 0},
    {"y_zero_point", TNI_INT8S, 'Y', 0},
};
static const tni_arg out10[] = {{"y", TNI_INT8S, 'Y', 0}};
static const tni_arg in21[] = {
    {"a", TYPES, 'A', 0},
    {"a_scale", SCALES, 'S', 0},
    {"a_zero_point", TYPES, 'A', 0},
    {"b", TYPES, 'B', 0},
    {"b_scale", SCALES, 'S', 0},
    {"b_zero_point", TYPES, 'B', 0},
    {"y_scale", SCALES, 'S', 0},
    {"y_zero_point", TYPES, 'Y', 0},
};
static const tni_arg out21[] = {{"y", TYPES, 'Y', 0}};

static const tni_op_version versions[] = {
    {.since = 21,
     TNI_IN(in21),
     TNI_OUT(out21),
     .infer = infer,
     .ref = ref,
     .plan = plan},
    {.since = 10,
     TNI_IN(in10),
     TNI_OUT(out10),
     .infer = infer,
     .ref = ref,
     .plan = plan},
};

const tni_op tni_op_qlinear_matmul = {.domain = "",
                                      .name = "QLinearMatMul",
                                      .summary =
                                          "matrix product of quantised tensors",
                                      TNI_VERSIONS(versions)};
