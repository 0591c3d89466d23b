/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_col2im.c - ONNX Col2Im, opset 18
 *
 * Shapes:  input[n, c · k1 · … · kr, l], image_shape[r], block_shape[r]  ->
 *          output[n, c, image_shape]; blocks add up where they overlap
 * Types:   numbers and bool
 * Attrs:   strides, pads, dilations
 * Errors:  EINVAL shapes that do not fit
 * Numeric: added in the order of the blocks' elements
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/scatter.h"

#include <string.h>

typedef struct geometry {
    int r;
    int64_t image[TN_MAX_RANK], block[TN_MAX_RANK], stride[TN_MAX_RANK];
    int64_t dilation[TN_MAX_RANK], begin[TN_MAX_RANK];
    int64_t count[TN_MAX_RANK]; /* places of the block along each axis */
    int64_t n_block, n_places, n_image;
} geometry;

static tn_status list(int64_t *out, const tni_node *node, const char *name,
                      int r, int64_t absent, int64_t least, tn_err *err)
{
    int n = 0;
    const int64_t *attr = tni_attr_ints(node, name, &n);
    if (attr != NULL && n != r)
        return tni_fail(err, TN_EINVAL, "%d numbers in %s, expected %d", n,
                        name, r);
    for (int i = 0; i < r; i++) {
        out[i] = attr != NULL ? attr[i] : absent;
        if (out[i] < least || out[i] > INT32_MAX)
            return tni_fail(err, TN_EINVAL, "%lld in %s",
                            (long long)out[i], name);
    }
    return TN_OK;
}

static tn_status geometry_of(geometry *g, const tni_node *node,
                             const tni_tensor *image, const tni_tensor *block,
                             tn_err *err)
{
    int n = 0;
    int64_t pads[2 * TN_MAX_RANK];
    memset(g, 0, sizeof *g);
    TN_TRY(tni_tensor_ints(g->image, &g->r, image, err));
    TN_TRY(tni_tensor_ints(g->block, &n, block, err));
    if (n != g->r || n < 1 || n + 2 > TN_MAX_RANK)
        return tni_fail(err, TN_EINVAL,
                        "image_shape has %d extents, block_shape %d", g->r, n);
    TN_TRY(list(g->stride, node, "strides", n, 1, 1, err));
    TN_TRY(list(g->dilation, node, "dilations", n, 1, 1, err));
    TN_TRY(list(pads, node, "pads", 2 * n, 0, 0, err));
    g->n_block = g->n_places = g->n_image = 1;
    for (int d = 0; d < n; d++) {
        g->begin[d] = pads[d];
        if (g->image[d] < 1 || g->block[d] < 1 || g->image[d] > INT32_MAX ||
            g->block[d] > INT32_MAX)
            return tni_fail(err, TN_EINVAL, "image of %lld, block of %lld",
                            (long long)g->image[d], (long long)g->block[d]);
        const int64_t room = g->image[d] + pads[d] + pads[n + d] -
                             g->dilation[d] * (g->block[d] - 1) - 1;
        g->count[d] = room < 0 ? 0 : room / g->stride[d] + 1;
        if (!tni_mul_i64(g->n_block, g->block[d], &g->n_block) ||
            !tni_mul_i64(g->n_places, g->count[d], &g->n_places) ||
            !tni_mul_i64(g->n_image, g->image[d], &g->n_image))
            return tni_fail(err, TN_ELIMIT, "the element count overflows");
    }
    return TN_OK;
}

static tn_status output_dims(int64_t *dims, const geometry *g,
                             const int64_t *in, int rank, tn_err *err)
{
    if (rank != 3)
        return tni_fail(err, TN_EINVAL, "rank %d, expected 3", rank);
    if ((in[1] >= 0 && in[1] % g->n_block != 0) ||
        (in[2] >= 0 && in[2] != g->n_places))
        return tni_fail(err, TN_EINVAL,
                        "input has %lld rows of %lld, expected a multiple of "
                        "%lld rows of %lld",
                        (long long)in[1], (long long)in[2],
                        (long long)g->n_block, (long long)g->n_places);
    dims[0] = in[0];
    dims[1] = in[1] < 0 ? TNI_DIM_UNKNOWN : in[1] / g->n_block;
    for (int d = 0; d < g->r; d++) dims[2 + d] = g->image[d];
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    const tni_tensor *image = tni_infer_const(c, 1);
    const tni_tensor *block = tni_infer_const(c, 2);
    if (image == NULL || block == NULL || !tni_infer_ranked(c, 0))
        return TN_OK;
    geometry g;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(geometry_of(&g, c->node, image, block, c->err));
    TN_TRY(output_dims(dims, &g, c->in[0]->dims, c->in[0]->rank, c->err));
    return tni_infer_dims(c, 0, dtype, g.r + 2, dims);
}

/* Offset in the image of element k of the block at place p; -1: outside. */
static int64_t target(const geometry *g, int64_t k, int64_t p)
{
    int64_t off = 0, step = 1;
    for (int d = g->r - 1; d >= 0; d--) {
        const int64_t at = p % g->count[d] * g->stride[d] - g->begin[d] +
                           k % g->block[d] * g->dilation[d];
        if (at < 0 || at >= g->image[d]) return -1;
        off += at * step;
        step *= g->image[d];
        k /= g->block[d];
        p /= g->count[d];
    }
    return off;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    geometry g;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(geometry_of(&g, c->node, c->in[1], c->in[2], c->err));
    TN_TRY(output_dims(dims, &g, x->dims, x->rank, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, g.r + 2, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    const size_t elem = tn_dtype_size(x->dtype);
    char *to = c->out[0]->data;
    memset(to, 0, (size_t)c->out[0]->len * elem);
    const char *from = x->data;
    for (int64_t m = 0; m < dims[0] * dims[1]; m++) {
        for (int64_t k = 0; k < g.n_block; k++)
            for (int64_t p = 0; p < g.n_places; p++, from += elem) {
                const int64_t off = target(&g, k, p);
                if (off >= 0)
                    tni_scatter_row(to + (size_t)off * elem, from, 1,
                                    x->dtype, TNI_SCATTER_ADD);
            }
        to += (size_t)g.n_image * elem;
    }
    return TN_OK;
}

#define TYPES (TNI_NUMERIC | TNI_BOOLS)
static const tni_arg ins[] = {{"input", TYPES, 'T', 0},
                              {"image_shape", TNI_T(TN_I64), 0, 0},
                              {"block_shape", TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TYPES, 'T', 0}};
static const tni_attr_spec attrs[] = {{"dilations", TNI_ATTR_INTS, NULL},
                                      {"pads", TNI_ATTR_INTS, NULL},
                                      {"strides", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 18, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_col2im = {
    .domain = "",
    .name = "Col2Im",
    .summary = "Puts columns of blocks back into an image",
    TNI_VERSIONS(versions),
};
