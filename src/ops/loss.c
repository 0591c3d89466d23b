/* SPDX-License-Identifier: Apache-2.0 */
/* loss.c - weighted negative log likelihood */
#include "ops/loss.h"

#include "ops/nn.h"

const tni_attr_spec tni_loss_attrs[2] = {
    {"ignore_index", TNI_ATTR_INT, NULL},
    {"reduction", TNI_ATTR_STRING, "mean"},
};

tn_status tni_loss_infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK], classes = TNI_DIM_UNKNOWN;
    int rank;
    const bool none = tni_attr_is(c->node, "reduction", "none", "mean");
    if (!none && !tni_attr_is(c->node, "reduction", "mean", "mean") &&
        !tni_attr_is(c->node, "reduction", "sum", "mean"))
        return tni_fail(c->err, TN_EINVAL,
                        "reduction is none of none, mean, sum");
    if (!none) TN_TRY(tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 0, NULL));
    if (!tni_infer_ranked(c, 0)) {
        if (none) tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    rank = c->in[0]->rank;
    if (rank < 2)
        return tni_fail(c->err, TN_EINVAL,
                        "scores of rank %d, expected 2 "
                        "or more",
                        rank);
    TN_TRY(tni_nn_want_rank(c, 1, rank - 1));
    TN_TRY(tni_nn_want_rank(c, 2, 1));
    TN_TRY(tni_nn_merge_dim(c, 0, 1, &classes));
    TN_TRY(tni_nn_merge_dim(c, 2, 0, &classes));
    for (int i = 0; i < rank - 1; i++) {
        dims[i] = c->in[0]->dims[i == 0 ? 0 : i + 1];
        TN_TRY(tni_nn_merge_dim(c, 1, i, &dims[i]));
    }
    if (none) return tni_infer_dims(c, 0, c->in[0]->dtype, rank - 1, dims);
    return TN_OK;
}

static int64_t label_at(const tni_tensor *t, int64_t i)
{
    return t->dtype == TN_I32 ? TNI_CDATA(int32_t, t)[i]
                              : TNI_CDATA(int64_t, t)[i];
}

tn_status tni_loss_ref(tni_ref *c, const double *log_prob)
{
    const tni_tensor *const s = c->in[0], *const labels = c->in[1];
    const bool none = tni_attr_is(c->node, "reduction", "none", "mean");
    const bool mean = tni_attr_is(c->node, "reduction", "mean", "mean");
    const tni_attr *const ignore = tni_attr_find(c->node, "ignore_index");
    const int64_t classes = s->dims[1];
    const int64_t inner = tni_nn_extent(s->dims, 2, s->rank);
    const double *weights = NULL;
    double *y = NULL, sum = 0, total = 0;
    if (tni_ref_has(c, 2)) {
        TN_TRY(tni_nn_load(c, c->in[2], &weights));
        if (c->in[2]->len != classes)
            return tni_fail(c->err, TN_EINVAL, "%lld weights for %lld classes",
                            (long long)c->in[2]->len, (long long)classes);
    }
    if (labels->len != s->dims[0] * inner)
        return tni_fail(c->err, TN_EINVAL, "%lld labels, expected %lld",
                        (long long)labels->len,
                        (long long)(s->dims[0] * inner));
    TN_TRY(
        tni_ref_output(c, 0, s->dtype, none ? labels->rank : 0, labels->dims));
    TN_TRY(tni_nn_open(c, 0, &y));
    for (int64_t i = 0; i < labels->len; i++) {
        const int64_t label = label_at(labels, i);
        double loss = 0, w = 0;
        if (ignore == NULL || label != ignore->v.i) {
            if (label < 0 || label >= classes)
                return tni_fail(c->err, TN_EINVAL,
                                "label %lld is outside [0, %lld)",
                                (long long)label, (long long)classes);
            w = weights != NULL ? weights[label] : 1;
            loss = -w *
                   log_prob[(i / inner * classes + label) * inner + i % inner];
        }
        sum += loss;
        total += w;
        if (none && y != NULL) y[i] = loss;
    }
    if (!none && y != NULL) y[0] = mean ? sum / total : sum;
    tni_nn_store(c, 0, y);
    return TN_OK;
}
