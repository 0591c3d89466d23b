/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_embed_layer_normalization.c - com.microsoft EmbedLayerNormalization
 *
 * Shapes:  ids[B, S] (and segments, positions [B or 1, S], mask) with tables
 *          [*, H] -> output[B, S, H], mask_index[B], embedding_sum[B, S, H]
 * Numeric: LayerNormalization of word + position (+ segment); positions count
 *          from 0 when not given; mask_index is the number of non-zero mask
 *          values of a row, 0 without a mask
 * Errors:  EINVAL an id outside its table
 * Source:  ONNX Runtime docs/ContribOperators.md, same name
 */
#include "ops/lnorm.h"
#include "ops/nn.h"

#define T (TNI_T(TN_F32) | TNI_T(TN_F16))

enum {
    IDS,
    SEGMENTS,
    WORDS,
    POSITIONS,
    SEGMENT_TABLE,
    GAMMA,
    BETA,
    MASK,
    POSITION_IDS
};

static const tni_arg in_1[] = {
    {"input_ids", TNI_T(TN_I32), 0, 0},
    {"segment_ids", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"word_embedding", T, 'T', 0},
    {"position_embedding", T, 'T', 0},
    {"segment_embedding", T, 'T', TNI_OPTIONAL},
    {"gamma", T, 'T', 0},
    {"beta", T, 'T', 0},
    {"mask", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"position_ids", TNI_T(TN_I32), 0, TNI_OPTIONAL},
};
static const tni_arg out_1[] = {
    {"output", T, 'T', 0},
    {"mask_index", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"embedding_sum", T, 'T', TNI_OPTIONAL},
};
static const tni_attr_spec attrs_1[] = {
    {"epsilon", TNI_ATTR_FLOAT, "1e-12"},
    {"mask_index_type", TNI_ATTR_INT, NULL},
};

static tn_status embed_layer_normalization_infer(tni_infer *c)
{
    const tn_dtype t = tni_infer_dtype(c, WORDS);
    int64_t dims[3] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN};
    TN_TRY(tni_nn_want_rank(c, IDS, 2));
    TN_TRY(tni_nn_merge_dim(c, IDS, 0, &dims[0]));
    TN_TRY(tni_nn_merge_dim(c, IDS, 1, &dims[1]));
    for (int i = WORDS; i <= SEGMENT_TABLE; i++) {
        TN_TRY(tni_nn_want_rank(c, i, 2));
        TN_TRY(tni_nn_merge_dim(c, i, 1, &dims[2]));
    }
    TN_TRY(tni_nn_merge_dim(c, GAMMA, 0, &dims[2]));
    TN_TRY(tni_nn_merge_dim(c, BETA, 0, &dims[2]));
    TN_TRY(tni_infer_dims(c, 0, t, 3, dims));
    if (c->n_out > 1) TN_TRY(tni_infer_dims(c, 1, TN_I32, 1, dims));
    if (c->n_out > 2) TN_TRY(tni_infer_dims(c, 2, t, 3, dims));
    return TN_OK;
}

/* Adds row `id` of a table. */
static tn_status add_row(tni_ref *c, int table, int64_t id, double *row)
{
    const tni_tensor *const t = c->in[table];
    const int64_t n = t->dims[1];
    const size_t size = tn_dtype_size(t->dtype);
    if (id < 0 || id >= t->dims[0])
        return tni_fail(c->err, TN_EINVAL,
                        "id %lld is outside the table of %lld (input %d)",
                        (long long)id, (long long)t->dims[0], table);
    if (t->dtype == TN_F32) {
        const float *const p = TNI_CDATA(float, t) + id * n;
        for (int64_t i = 0; i < n; i++) row[i] += (double)p[i];
        return TN_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        double v = 0;
        tni_to_f64(&v, t->dtype,
                   TNI_CDATA(char, t) + (size_t)(id * n + i) * size, 1);
        row[i] += v;
    }
    return TN_OK;
}

static tn_status count_mask(tni_ref *c, int64_t batch, int64_t seq)
{
    int32_t *index;
    TN_TRY(tni_ref_output(c, 1, TN_I32, 1, &batch));
    if (!tni_ref_wants(c, 1)) return TN_OK;
    if (tni_ref_has(c, MASK) && c->in[MASK]->len != batch * seq)
        return tni_fail(c->err, TN_EINVAL, "mask has %lld elements",
                        (long long)c->in[MASK]->len);
    index = TNI_DATA(int32_t, c->out[1]);
    for (int64_t b = 0; b < batch; b++) {
        index[b] = 0;
        if (!tni_ref_has(c, MASK)) continue;
        for (int64_t s = 0; s < seq; s++)
            index[b] +=
                TNI_CDATA(int32_t, c->in[MASK])[b * seq + s] != 0 ? 1 : 0;
    }
    return TN_OK;
}

static tn_status embed_layer_normalization_ref(tni_ref *c)
{
    const tni_tensor *const ids = c->in[IDS];
    const bool segments =
        tni_ref_has(c, SEGMENTS) && tni_ref_has(c, SEGMENT_TABLE);
    const double *gamma = NULL, *beta = NULL;
    double *y = NULL, *sum = NULL;
    tni_lnorm p = {.rms = false};
    int64_t dims[3], n_pos = 0;
    dims[0] = ids->dims[0];
    dims[1] = ids->dims[1];
    dims[2] = p.cols = c->in[WORDS]->dims[1];
    p.epsilon = (double)tni_attr_float(c->node, "epsilon", 1e-12f);
    if (segments && c->in[SEGMENTS]->len != ids->len)
        return tni_fail(c->err, TN_EINVAL, "segment_ids has %lld elements",
                        (long long)c->in[SEGMENTS]->len);
    if (tni_ref_has(c, POSITION_IDS)) {
        n_pos = c->in[POSITION_IDS]->len;
        if (n_pos != ids->len && n_pos != dims[1])
            return tni_fail(c->err, TN_EINVAL, "position_ids has %lld elements",
                            (long long)n_pos);
    }
    TN_TRY(tni_ref_output(c, 0, c->in[WORDS]->dtype, 3, dims));
    TN_TRY(tni_ref_output(c, 2, c->in[WORDS]->dtype, 3, dims));
    TN_TRY(count_mask(c, dims[0], dims[1]));
    TN_TRY(tni_nn_load(c, c->in[GAMMA], &gamma));
    TN_TRY(tni_nn_load(c, c->in[BETA], &beta));
    TN_TRY(tni_nn_open(c, 0, &y));
    TN_TRY(tni_nn_open(c, 2, &sum));
    for (int64_t r = 0; r < ids->len; r++) {
        double *const row = y + r * p.cols;
        const int64_t pos =
            n_pos == 0 ? r % dims[1]
                       : TNI_CDATA(int32_t, c->in[POSITION_IDS])[r % n_pos];
        for (int64_t i = 0; i < p.cols; i++) row[i] = 0;
        TN_TRY(add_row(c, WORDS, TNI_CDATA(int32_t, ids)[r], row));
        TN_TRY(add_row(c, POSITIONS, pos, row));
        if (segments)
            TN_TRY(add_row(c, SEGMENT_TABLE,
                           TNI_CDATA(int32_t, c->in[SEGMENTS])[r], row));
        if (sum != NULL)
            for (int64_t i = 0; i < p.cols; i++) sum[r * p.cols + i] = row[i];
        tni_lnorm_row(&p, row, gamma, beta, row, NULL, NULL);
    }
    tni_nn_store(c, 0, y);
    tni_nn_store(c, 2, sum);
    return TN_OK;
}

static const tni_op_version embed_layer_normalization_versions[] = {
    {.since = 1,
     TNI_IN(in_1),
     TNI_OUT(out_1),
     TNI_ATTRS(attrs_1),
     .infer = embed_layer_normalization_infer,
     .ref = embed_layer_normalization_ref},
};

const tni_op tni_op_embed_layer_normalization = {
    .domain = "com.microsoft",
    .name = "EmbedLayerNormalization",
    .summary = "BERT's embedding sum and its LayerNormalization.",
    TNI_VERSIONS(embed_layer_normalization_versions),
};
