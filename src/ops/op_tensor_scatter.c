/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_tensor_scatter.c - ONNX TensorScatter, opset 24
 *
 * Shapes:  past_cache[b, …, m, …], update[b, …, s, …], write_indices[b]  ->
 *          present_cache like past_cache; rows w … w+s of `axis` are replaced
 *          (modulo m when mode is "circular")
 * Types:   all
 * Errors:  EINVAL a write beyond the cache, shapes that do not fit
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status check(const tni_tensor *cache, const tni_tensor *update,
                       const tni_tensor *at, int axis, tn_err *err)
{
    char a[120], b[120];
    bool fits = update->rank == cache->rank && axis > 0;
    for (int d = 0; fits && d < cache->rank; d++)
        fits = d == axis ? update->dims[d] <= cache->dims[d]
                         : update->dims[d] == cache->dims[d];
    if (!fits)
        return tni_fail(err, TN_EINVAL,
                        "update %s does not fit into cache %s on axis %d",
                        tni_shape_text(a, sizeof a, update),
                        tni_shape_text(b, sizeof b, cache), axis);
    if (at != NULL && at->len != cache->dims[0])
        return tni_fail(err, TN_EINVAL,
                        "%lld write_indices for a batch of %lld",
                        (long long)at->len, (long long)cache->dims[0]);
    return TN_OK;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *cache = c->in[0], *update = c->in[1];
    const tni_tensor *at = tni_ref_has(c, 2) ? c->in[2] : NULL;
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", -2), cache->rank,
                    c->err));
    TN_TRY(check(cache, update, at, axis, c->err));
    const bool circular = tni_attr_is(c->node, "mode", "circular", "linear");
    TN_TRY(tni_ref_output(c, 0, cache->dtype, cache->rank, cache->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_move(c->out[0], cache);
    if (update->len == 0) return TN_OK;
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < axis; d++) outer *= cache->dims[d];
    for (int d = axis + 1; d < cache->rank; d++) inner *= cache->dims[d];
    const int64_t per_batch = outer / cache->dims[0];
    const int64_t m = cache->dims[axis], s = update->dims[axis];
    const size_t row = (size_t)inner * tn_dtype_size(cache->dtype);
    char *to = c->out[0]->data;
    const char *from = update->data;
    for (int64_t o = 0; o < outer; o++) {
        const int64_t w = at != NULL ? tni_get_i64(at, o / per_batch) : 0;
        if (w < 0 || (!circular && w > m - s))
            return tni_fail(c->err, TN_EINVAL,
                            "write index %lld with %lld rows, the cache has "
                            "%lld",
                            (long long)w, (long long)s, (long long)m);
        for (int64_t i = 0; i < s; i++)
            memcpy(to + (size_t)(o * m + (w % m + i) % m) * row,
                   from + (size_t)(o * s + i) * row, row);
    }
    return TN_OK;
}

static const tni_arg ins[] = {
    {"past_cache", TNI_ANY, 'T', 0},
    {"update", TNI_ANY, 'T', 0},
    {"write_indices", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"present_cache", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "-2"},
                                      {"mode", TNI_ATTR_STRING, "linear"}};

static const tni_op_version versions[] = {
    {.since = 24, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = tni_infer_unary, .ref = ref},
};

const tni_op tni_op_tensor_scatter = {
    .domain = "",
    .name = "TensorScatter",
    .summary = "Writes new rows into a key or value cache",
    TNI_VERSIONS(versions),
};
