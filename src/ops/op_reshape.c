/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_reshape.c - ONNX Reshape, opsets 1, 5, 14
 *
 * Shapes:  data[…], shape[n]  ->  reshaped[shape], 0 copies an extent (unless
 *          allowzero), one -1 is computed
 * Types:   all
 * Errors:  EINVAL two -1, an extent below -1, element counts apart
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"

/* Product of the extents not copied one to one and, among them, how many are
 * not numbers (`other` is one such). */
typedef struct leftover {
    int64_t known, other;
    int n_other;
    bool overflow;
} leftover;

static void add_extent(leftover *l, int64_t d)
{
    if (d < 0) {
        l->n_other++;
        l->other = d;
    } else if (!tni_mul_i64(l->known, d, &l->known)) {
        l->overflow = true;
    }
}

static tn_status mismatch(const int64_t *dims, int rank, const int64_t *want,
                          int n, tn_err *err)
{
    char a[120], b[120];
    return tni_fail(err, TN_EINVAL, "%s does not fit into shape %s",
                    tni_shape_format(a, sizeof a, TN_UNDEFINED, rank, dims),
                    tni_shape_format(b, sizeof b, TN_UNDEFINED, n, want));
}

static tn_status resolve(int64_t *out, int rank, const int64_t *dims,
                         const int64_t *want, int n, bool allowzero,
                         tn_err *err)
{
    bool copied[TN_MAX_RANK] = {false};
    leftover to = {.known = 1}, from = {.known = 1};
    int wild = -1;
    for (int i = 0; i < n; i++) {
        if (want[i] < -1)
            return tni_fail(err, TN_EINVAL,
                            "extent %lld at %d, expected -1 or more",
                            (long long)want[i], i);
        if (want[i] == -1) {
            if (wild >= 0)
                return tni_fail(err, TN_EINVAL,
                                "extents %d and %d are both -1", wild, i);
            wild = i;
        } else if (want[i] == 0 && !allowzero) {
            if (i >= rank)
                return tni_fail(err, TN_EINVAL,
                                "extent %d is to be copied from data of rank "
                                "%d",
                                i, rank);
            out[i] = dims[i];
            copied[i] = true;
        } else {
            out[i] = want[i];
            add_extent(&to, want[i]);
        }
    }
    for (int d = 0; d < rank; d++)
        if (!copied[d]) add_extent(&from, dims[d]);
    if (to.overflow || from.overflow)
        return tni_fail(err, TN_ELIMIT, "the element count overflows");
    if (wild < 0) {
        if (from.n_other == 0 && to.known != from.known) {
            /* Extents that were copied and are zero make both sides empty. */
            for (int i = 0; i < n; i++)
                if (copied[i] && dims[i] == 0) return TN_OK;
            return mismatch(dims, rank, want, n, err);
        }
        return TN_OK;
    }
    out[wild] = TNI_DIM_UNKNOWN;
    if (from.n_other == 0) {
        if (to.known == 0 || from.known % to.known != 0)
            return mismatch(dims, rank, want, n, err);
        out[wild] = from.known / to.known;
    } else if (from.n_other == 1 && to.known != 0 && from.known == to.known) {
        out[wild] = from.other;
    }
    return TN_OK;
}

/* --- opset 5: the shape is an input ------------------------------------- */

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    const tni_tensor *shape = tni_infer_const(c, 1);
    int64_t want[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0;
    if (shape == NULL) {
        if (!tni_infer_ranked(c, 1) || c->in[1]->rank != 1) return TN_OK;
        const int64_t rank = c->in[1]->dims[0];
        if (rank < 0) return TN_OK;
        if (rank > TN_MAX_RANK)
            return tni_fail(c->err, TN_ELIMIT, "rank %lld exceeds %d",
                            (long long)rank, (int)TN_MAX_RANK);
        for (int i = 0; i < TN_MAX_RANK; i++) dims[i] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, (int)rank, dims);
    }
    TN_TRY(tni_tensor_ints(want, &n, shape, c->err));
    const bool allowzero = tni_attr_int(c->node, "allowzero", 0) != 0;
    if (!tni_infer_ranked(c, 0)) {
        for (int i = 0; i < n; i++)
            dims[i] = want[i] > 0 || (want[i] == 0 && allowzero)
                          ? want[i]
                          : TNI_DIM_UNKNOWN;
    } else {
        TN_TRY(resolve(dims, c->in[0]->rank, c->in[0]->dims, want, n,
                       allowzero, c->err));
    }
    return tni_infer_dims(c, 0, dtype, n, dims);
}

static tn_status ref(tni_ref *c)
{
    int64_t want[TN_MAX_RANK], dims[TN_MAX_RANK];
    int n = 0;
    TN_TRY(tni_tensor_ints(want, &n, c->in[1], c->err));
    TN_TRY(resolve(dims, c->in[0]->rank, c->in[0]->dims, want, n,
                   tni_attr_int(c->node, "allowzero", 0) != 0, c->err));
    return tni_ref_reshaped(c, n, dims);
}

/* --- opset 1: the shape is an attribute ---------------------------------- */

static tn_status attr_shape(const tni_node *node, const int64_t **want, int *n,
                            tn_err *err)
{
    *want = tni_attr_ints(node, "shape", n);
    if (*n > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", *n,
                        (int)TN_MAX_RANK);
    return TN_OK;
}

static tn_status infer_1(tni_infer *c)
{
    const int64_t *want = NULL;
    int64_t dims[TN_MAX_RANK];
    int n = 0;
    TN_TRY(attr_shape(c->node, &want, &n, c->err));
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    TN_TRY(resolve(dims, c->in[0]->rank, c->in[0]->dims, want, n, false,
                   c->err));
    return tni_infer_dims(c, 0, c->in[0]->dtype, n, dims);
}

static tn_status ref_1(tni_ref *c)
{
    const int64_t *want = NULL;
    int64_t dims[TN_MAX_RANK];
    int n = 0;
    TN_TRY(attr_shape(c->node, &want, &n, c->err));
    TN_TRY(resolve(dims, c->in[0]->rank, c->in[0]->dims, want, n, false,
                   c->err));
    return tni_ref_reshaped(c, n, dims);
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"shape", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"reshaped", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_14[] = {{"allowzero", TNI_ATTR_INT, "0"}};
static const tni_attr_spec attrs_1[] = {
    {"shape", TNI_ATTR_INTS, NULL}, {"consumed_inputs", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 14, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs_14),
     .traits = TNI_VIEW, .infer = infer, .ref = ref},
    {.since = 5, TNI_IN(ins), TNI_OUT(outs), .traits = TNI_VIEW,
     .infer = infer, .ref = ref},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .traits = TNI_VIEW, .infer = infer_1, .ref = ref_1},
};

const tni_op tni_op_reshape = {
    .domain = "",
    .name = "Reshape",
    .summary = "Gives the elements another shape",
    TNI_VERSIONS(versions),
};
