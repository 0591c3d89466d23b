/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - tensors of random numbers of a shape or like another tensor */
#include "ops/random.h"

#include "ops/infer.h"
#include "ops/move.h"

static tn_status dtype_of(tn_dtype *out, const tni_node *node, tn_dtype absent,
                          tn_err *err)
{
    TN_TRY(tni_attr_dtype(out, node, "dtype", absent, err));
    if (tni_is_float(*out)) return TN_OK;
    return tni_fail(err, TN_EUNSUPPORTED, "dtype %s, expected a float",
                    tn_dtype_name(*out));
}

static tn_status shape_of(const int64_t **dims, int *rank,
                          const tni_node *node, tn_err *err)
{
    *dims = tni_attr_ints(node, "shape", rank);
    int64_t len = 0;
    if (*rank > TN_MAX_RANK || !tni_dims_len(&len, *rank, *dims))
        return tni_fail(err, TN_EINVAL, "attribute shape is no shape");
    return TN_OK;
}

tn_status tni_random_infer(tni_infer *c)
{
    const int64_t *dims = NULL;
    int rank = 0;
    tn_dtype dtype = TN_F32;
    TN_TRY(dtype_of(&dtype, c->node, TN_F32, c->err));
    TN_TRY(shape_of(&dims, &rank, c->node, c->err));
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

tn_status tni_random_like_infer(tni_infer *c)
{
    const tn_dtype in = tni_infer_dtype(c, 0);
    tn_dtype dtype = in;
    if (in != TN_UNDEFINED || tni_attr_find(c->node, "dtype") != NULL)
        TN_TRY(dtype_of(&dtype, c->node, in == TN_UNDEFINED ? TN_F32 : in,
                        c->err));
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    return tni_infer_dims(c, 0, dtype, c->in[0]->rank, c->in[0]->dims);
}

static tn_status output(tni_ref *c)
{
    const int64_t *dims = NULL;
    int rank = 0;
    tn_dtype dtype = TN_F32;
    if (tni_ref_has(c, 0)) {
        dims = c->in[0]->dims;
        rank = c->in[0]->rank;
        dtype = c->in[0]->dtype;
    } else {
        TN_TRY(shape_of(&dims, &rank, c->node, c->err));
    }
    TN_TRY(dtype_of(&dtype, c->node, dtype, c->err));
    return tni_ref_output(c, 0, dtype, rank, dims);
}

tn_status tni_random_normal_ref(tni_ref *c)
{
    TN_TRY(output(c));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const uint64_t seed = tni_random_seed(c);
    const double mean = (double)tni_attr_float(c->node, "mean", 0.0f);
    const double scale = (double)tni_attr_float(c->node, "scale", 1.0f);
    for (int64_t i = 0; i < c->out[0]->len; i++)
        tni_set_f64(c->out[0], i,
                    mean + scale * tni_random_normal(seed, (uint64_t)i));
    return TN_OK;
}

tn_status tni_random_uniform_ref(tni_ref *c)
{
    TN_TRY(output(c));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    const uint64_t seed = tni_random_seed(c);
    const double low = (double)tni_attr_float(c->node, "low", 0.0f);
    const double high = (double)tni_attr_float(c->node, "high", 1.0f);
    for (int64_t i = 0; i < c->out[0]->len; i++)
        tni_set_f64(c->out[0], i,
                    low + (high - low) * tni_random_uniform(seed, (uint64_t)i));
    return TN_OK;
}
