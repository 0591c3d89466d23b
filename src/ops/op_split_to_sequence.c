/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_split_to_sequence.c - ONNX SplitToSequence, opset 11
 *
 * Shapes:  input[… d …], split  ->  output_sequence of input[… s …]; split is
 *          a size for all (the last may be smaller), a list of sizes, or 1,
 *          and then keepdims = 0 drops the axis
 * Types:   all
 * Errors:  EINVAL sizes that do not add up
 */
#include "ops/container.h"
#include "ops/move.h"

static tn_status infer(tni_infer *c)
{
    tni_type elem = {.kind = TN_KIND_TENSOR, .dtype = tni_infer_dtype(c, 0),
                     .rank = -1};
    if (tni_infer_ranked(c, 0)) {
        const tni_type *x = c->in[0];
        int axis = 0;
        TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank,
                        c->err));
        const bool drop = !tni_infer_has(c, 1) &&
                          tni_attr_int(c->node, "keepdims", 1) == 0;
        elem.rank = 0;
        for (int d = 0; d < x->rank; d++) {
            if (d != axis)
                elem.dims[elem.rank++] = x->dims[d];
            else if (!drop)
                elem.dims[elem.rank++] =
                    tni_infer_has(c, 1) ? TNI_DIM_UNKNOWN : 1;
        }
    }
    return tni_infer_container(c, 0, TN_KIND_SEQUENCE, &elem);
}

/* How many parts; *each is their size when they have one. */
static tn_status count_parts(int64_t *n, int64_t *each, const tni_tensor *split,
                             int64_t dim, tn_err *err)
{
    *each = 1;
    if (split != NULL && split->rank > 0) {
        int64_t sum = 0;
        *n = split->len;
        *each = -1;
        for (int64_t i = 0; i < *n; i++) {
            const int64_t s = tni_get_i64(split, i);
            if (s < 0 || s > dim - sum)
                return tni_fail(err, TN_EINVAL,
                                "part %lld of size %lld, the axis has %lld",
                                (long long)i, (long long)s, (long long)dim);
            sum += s;
        }
        if (sum != dim)
            return tni_fail(err, TN_EINVAL,
                            "the parts add up to %lld, the axis has %lld",
                            (long long)sum, (long long)dim);
        return TN_OK;
    }
    if (split != NULL) TN_TRY(tni_scalar_i64(each, split, "split", err));
    if (*each < 1)
        return tni_fail(err, TN_EINVAL, "parts of size %lld",
                        (long long)*each);
    *n = dim / *each + (dim % *each != 0 ? 1 : 0);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tni_tensor *split = tni_ref_has(c, 1) ? c->in[1] : NULL;
    int axis = 0;
    int64_t n = 0, each = 1, dims[TN_MAX_RANK], inner = 1;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    const int64_t dim = x->dims[axis];
    TN_TRY(count_parts(&n, &each, split, dim, c->err));
    const bool drop =
        split == NULL && tni_attr_int(c->node, "keepdims", 1) == 0;
    const tni_tensor **items = NULL;
    TN_TRY(tni_ref_container(c, 0, TN_KIND_SEQUENCE, x->dtype, n, &items));
    if (items == NULL) return TN_OK;
    int64_t outer = 1;
    for (int d = 0; d < axis; d++) outer *= x->dims[d];
    for (int d = axis + 1; d < x->rank; d++) inner *= x->dims[d];
    const size_t elem = tn_dtype_size(x->dtype);
    int64_t begin = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t size = each > 0 ? each : tni_get_i64(split, i);
        if (size > dim - begin) size = dim - begin;
        int rank = 0;
        for (int d = 0; d < x->rank; d++) {
            if (d != axis)
                dims[rank++] = x->dims[d];
            else if (!drop)
                dims[rank++] = size;
        }
        tni_tensor *t = TNI_NEW(c->out_arena, tni_tensor);
        if (t == NULL) return tni_ref_nomem(c);
        TN_TRY(tni_tensor_alloc(t, c->out_arena, x->dtype, rank, dims,
                                c->err));
        if (t->len > 0) {
            const int64_t len[2] = {outer, size * inner};
            const int64_t to[2] = {len[1], 1}, from[2] = {dim * inner, 1};
            tni_copy copy;
            tni_copy_init(&copy, elem, 2, len, to, from);
            tni_copy_run(&copy, t->data,
                         (const char *)x->data +
                             (size_t)(begin * inner) * elem,
                         c->par);
        }
        items[i] = t;
        begin += size;
    }
    return TN_OK;
}

static const tni_arg ins[] = {
    {"input", TNI_ANY, 0, 0},
    {"split", TNI_T(TN_I32) | TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output_sequence", 0, 0, TNI_NONTENSOR}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "0"},
                                      {"keepdims", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 11, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_split_to_sequence = {
    .domain = "",
    .name = "SplitToSequence",
    .summary = "Cuts a tensor into a sequence of parts",
    TNI_VERSIONS(versions),
};
