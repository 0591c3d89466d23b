/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_reverse_sequence.c - ONNX ReverseSequence, opset 10
 *
 * Shapes:  input[t, b, …] (or [b, t, …]), sequence_lens[b]  ->  Y like input
 *          with the first sequence_lens[b] steps of batch b reversed
 * Types:   all
 * Errors:  EINVAL a length outside [0, t]
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *lens = c->in[1];
    const int64_t batch_axis = tni_attr_int(c->node, "batch_axis", 1);
    const int64_t time_axis = tni_attr_int(c->node, "time_axis", 0);
    if (x->rank < 2 || batch_axis + time_axis != 1 || batch_axis < 0 ||
        time_axis < 0)
        return tni_fail(c->err, TN_EINVAL,
                        "batch_axis %lld and time_axis %lld with rank %d, "
                        "expected 0 and 1 and rank 2 or more",
                        (long long)batch_axis, (long long)time_axis, x->rank);
    const int64_t t = x->dims[time_axis], b = x->dims[batch_axis];
    if (lens->len != b)
        return tni_fail(c->err, TN_EINVAL,
                        "%lld sequence_lens for a batch of %lld",
                        (long long)lens->len, (long long)b);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    const size_t row = (size_t)(x->len / (t * b)) * tn_dtype_size(x->dtype);
    const int64_t time_step = time_axis == 0 ? b : 1;
    const int64_t batch_step = time_axis == 0 ? 1 : t;
    const char *from = x->data;
    char *to = c->out[0]->data;
    for (int64_t i = 0; i < b; i++) {
        const int64_t n = tni_get_i64(lens, i);
        if (n < 0 || n > t)
            return tni_fail(c->err, TN_EINVAL,
                            "sequence length %lld is outside [0, %lld]",
                            (long long)n, (long long)t);
        for (int64_t j = 0; j < t; j++) {
            const int64_t k = j < n ? n - 1 - j : j;
            memcpy(to + (size_t)(i * batch_step + j * time_step) * row,
                   from + (size_t)(i * batch_step + k * time_step) * row, row);
        }
    }
    return TN_OK;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0},
                              {"sequence_lens", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"Y", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"batch_axis", TNI_ATTR_INT, "1"},
                                      {"time_axis", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 10, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_infer_unary, .ref = ref},
};

const tni_op tni_op_reverse_sequence = {
    .domain = "",
    .name = "ReverseSequence",
    .summary = "Reverses the beginning of each sequence of a batch",
    TNI_VERSIONS(versions),
};
