/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.c - writing or reducing updates into a copy of a tensor */
#include "ops/scatter.h"

#include "ops/infer.h"
#include "ops/move.h"
#include "tensor/half.h"

#include <string.h>

tn_status tni_scatter_reduction(tni_scatter_op *op, const tni_node *node,
                                tn_dtype dtype, tn_err *err)
{
    static const char *const names[] = {"none", "add", "mul", "min", "max"};
    for (int i = 0; i < TNI_COUNT(names); i++) {
        if (!tni_attr_is(node, "reduction", names[i], "none")) continue;
        *op = (tni_scatter_op)i;
        const uint32_t ok = TNI_NUMERIC | TNI_BOOLS;
        if (i != 0 && (ok & TNI_T(dtype)) == 0)
            return tni_fail(err, TN_EUNSUPPORTED, "reduction '%s' of %s",
                            names[i], tn_dtype_name(dtype));
        return TN_OK;
    }
    return tni_fail(err, TN_EINVAL,
                    "reduction is none of none, add, mul, min, max");
}

static double reduce_f64(double a, double b, tni_scatter_op op)
{
    switch (op) {
    case TNI_SCATTER_ADD: return a + b;
    case TNI_SCATTER_MUL: return a * b;
    case TNI_SCATTER_MIN: return a != a || b != b ? a + b : b < a ? b : a;
    case TNI_SCATTER_MAX: return a != a || b != b ? a + b : b > a ? b : a;
    default: return b;
    }
}

static float reduce_f32(float a, float b, tni_scatter_op op)
{
    switch (op) {
    case TNI_SCATTER_ADD: return a + b;
    case TNI_SCATTER_MUL: return a * b;
    case TNI_SCATTER_MIN: return a != a || b != b ? a + b : b < a ? b : a;
    case TNI_SCATTER_MAX: return a != a || b != b ? a + b : b > a ? b : a;
    default: return b;
    }
}

/* Sums and products wrap: the low bits do not depend on the sign. */
static uint64_t wrap(uint64_t a, uint64_t b, tni_scatter_op op)
{
    return op == TNI_SCATTER_ADD ? a + b : a * b;
}

#define INTEGER_ROW(T)                                                         \
    do {                                                                       \
        T *y = to;                                                             \
        const T *x = from;                                                     \
        for (int64_t i = 0; i < n; i++) {                                      \
            if (op == TNI_SCATTER_MIN)                                         \
                y[i] = x[i] < y[i] ? x[i] : y[i];                              \
            else if (op == TNI_SCATTER_MAX)                                    \
                y[i] = x[i] > y[i] ? x[i] : y[i];                              \
            else                                                               \
                y[i] = (T)wrap((uint64_t)y[i], (uint64_t)x[i], op);            \
        }                                                                      \
    } while (0)

static void half_row(uint16_t *y, const uint16_t *x, int64_t n, bool bf16,
                     tni_scatter_op op)
{
    for (int64_t i = 0; i < n; i++) {
        const float a = bf16 ? tni_bf16_to_f32(y[i]) : tni_f16_to_f32(y[i]);
        const float b = bf16 ? tni_bf16_to_f32(x[i]) : tni_f16_to_f32(x[i]);
        const float r = reduce_f32(a, b, op);
        y[i] = bf16 ? tni_f32_to_bf16(r) : tni_f32_to_f16(r);
    }
}

static void bool_row(uint8_t *y, const uint8_t *x, int64_t n,
                     tni_scatter_op op)
{
    const bool any = op == TNI_SCATTER_ADD || op == TNI_SCATTER_MAX;
    for (int64_t i = 0; i < n; i++) {
        const bool a = y[i] != 0, b = x[i] != 0;
        y[i] = any ? a || b : a && b;
    }
}

void tni_scatter_row(void *to, const void *from, int64_t n, tn_dtype dtype,
                     tni_scatter_op op)
{
    if (op == TNI_SCATTER_NONE) {
        memcpy(to, from, (size_t)n * tn_dtype_size(dtype));
        return;
    }
    switch (dtype) {
    case TN_F32: {
        float *y = to;
        const float *x = from;
        for (int64_t i = 0; i < n; i++) y[i] = reduce_f32(y[i], x[i], op);
        break;
    }
    case TN_F64: {
        double *y = to;
        const double *x = from;
        for (int64_t i = 0; i < n; i++) y[i] = reduce_f64(y[i], x[i], op);
        break;
    }
    case TN_F16: half_row(to, from, n, false, op); break;
    case TN_BF16: half_row(to, from, n, true, op); break;
    case TN_I8: INTEGER_ROW(int8_t); break;
    case TN_I16: INTEGER_ROW(int16_t); break;
    case TN_I32: INTEGER_ROW(int32_t); break;
    case TN_I64: INTEGER_ROW(int64_t); break;
    case TN_U8: INTEGER_ROW(uint8_t); break;
    case TN_U16: INTEGER_ROW(uint16_t); break;
    case TN_U32: INTEGER_ROW(uint32_t); break;
    case TN_U64: INTEGER_ROW(uint64_t); break;
    case TN_BOOL: bool_row(to, from, n, op); break;
    default: break; /* refused by tni_scatter_reduction */
    }
}

static tn_status check(const tni_tensor *x, const tni_tensor *indices,
                       const tni_tensor *updates, int axis, tn_err *err)
{
    char a[120], b[120];
    if (!tni_same_shape(indices, updates))
        return tni_fail(err, TN_EINVAL, "indices are %s, updates are %s",
                        tni_shape_text(a, sizeof a, indices),
                        tni_shape_text(b, sizeof b, updates));
    bool fits = indices->rank == x->rank;
    for (int d = 0; d < x->rank && fits; d++)
        fits = d == axis || indices->dims[d] <= x->dims[d];
    if (!fits)
        return tni_fail(err, TN_EINVAL, "indices are %s for data %s",
                        tni_shape_text(a, sizeof a, indices),
                        tni_shape_text(b, sizeof b, x));
    return TN_OK;
}

tn_status tni_scatter_elements(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *indices = c->in[1], *updates = c->in[2];
    int axis = 0;
    tni_scatter_op op = TNI_SCATTER_NONE;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    TN_TRY(tni_scatter_reduction(&op, c->node, x->dtype, c->err));
    TN_TRY(check(x, indices, updates, axis, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_move(c->out[0], x);
    const size_t elem = tn_dtype_size(x->dtype);
    char *to = c->out[0]->data;
    const char *from = updates->data;
    int64_t strides[TN_MAX_RANK], at[TN_MAX_RANK] = {0};
    tni_strides(strides, x->rank, x->dims);
    for (int64_t i = 0; i < indices->len; i++) {
        int64_t off = 0;
        TN_TRY(tni_index(&off, tni_get_i64(indices, i), x->dims[axis],
                         c->err));
        off *= strides[axis];
        for (int d = 0; d < x->rank; d++)
            if (d != axis) off += at[d] * strides[d];
        tni_scatter_row(to + (size_t)off * elem, from + (size_t)i * elem, 1,
                        x->dtype, op);
        for (int d = x->rank - 1; d >= 0 && ++at[d] == indices->dims[d]; d--)
            at[d] = 0;
    }
    return TN_OK;
}
