/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthspace.c - blocks of a plane to channels and back
 *
 * With n batches, c channels on the deep side, blocks of b, and h x w on the
 * small side, both directions copy index (n, i, j, c, h, w), where (i, j) is
 * the place in the block:
 *   wide[n, c, h·b + i, w·b + j]  and  deep[n, (i·b + j)·c + c', h, w] (DCR)
 *                                  or  deep[n, c'·b·b + i·b + j, h, w] (CRD)
 */
#include "ops/depthspace.h"

#include "ops/move.h"

typedef struct geometry {
    int64_t b;
    bool crd;
} geometry;

static tn_status geometry_of(geometry *g, const tni_node *node, tn_err *err)
{
    g->b = tni_attr_int(node, "blocksize", 0);
    g->crd = tni_attr_is(node, "mode", "CRD", "DCR");
    if (!g->crd && !tni_attr_is(node, "mode", "DCR", "DCR"))
        return tni_fail(err, TN_EINVAL, "mode is neither DCR nor CRD");
    if (g->b < 1 || g->b > INT32_MAX)
        return tni_fail(err, TN_EINVAL, "blocksize %lld",
                        (long long)g->b);
    return TN_OK;
}

static tn_status divide(int64_t *out, int64_t a, int64_t b, const char *what,
                        tn_err *err)
{
    if (a < 0) {
        *out = b == 1 ? a : TNI_DIM_UNKNOWN;
        return TN_OK;
    }
    if (a % b != 0)
        return tni_fail(err, TN_EINVAL, "%s %lld is no multiple of %lld", what,
                        (long long)a, (long long)b);
    *out = a / b;
    return TN_OK;
}

static tn_status multiply(int64_t *out, int64_t a, int64_t b, tn_err *err)
{
    if (a < 0) {
        *out = b == 1 ? a : TNI_DIM_UNKNOWN;
        return TN_OK;
    }
    return tni_extent_mul(out, a, b, err);
}

static tn_status shape(int64_t *out, const geometry *g, bool to_space,
                       int rank, const int64_t *dims, tn_err *err)
{
    if (rank != 4)
        return tni_fail(err, TN_EINVAL, "rank %d, expected 4", rank);
    out[0] = dims[0];
    if (to_space) {
        TN_TRY(divide(&out[1], dims[1], g->b * g->b, "channels", err));
        TN_TRY(multiply(&out[2], dims[2], g->b, err));
        return multiply(&out[3], dims[3], g->b, err);
    }
    TN_TRY(multiply(&out[1], dims[1], g->b * g->b, err));
    TN_TRY(divide(&out[2], dims[2], g->b, "height", err));
    return divide(&out[3], dims[3], g->b, "width", err);
}

static void init_copy(tni_copy *p, const geometry *g, bool to_space,
                      size_t elem, const int64_t *wide, const int64_t *deep)
{
    const int64_t b = g->b, ch = wide[1], h = deep[2], w = deep[3];
    const int64_t plane = h * w;
    /* Ordered as the wide side lies in memory: n, c, h, i, w, j. */
    const int64_t dims[6] = {wide[0], ch, h, b, w, b};
    int64_t in_wide[6], in_deep[6];
    tni_strides(in_wide, 6, dims);
    in_deep[0] = ch * b * b * plane;
    in_deep[1] = g->crd ? b * b * plane : plane;
    in_deep[2] = w;
    in_deep[3] = g->crd ? b * plane : b * ch * plane;
    in_deep[4] = 1;
    in_deep[5] = g->crd ? plane : ch * plane;
    if (to_space) {
        tni_copy_init(p, elem, 6, dims, in_wide, in_deep);
        return;
    }
    /* Written in the order of the deep side: n, (i, j, c) or (c, i, j), h, w. */
    static const int dcr[6] = {0, 3, 5, 1, 2, 4}, crd[6] = {0, 1, 3, 5, 2, 4};
    const int *order = g->crd ? crd : dcr;
    int64_t d[6], to[6], from[6];
    for (int i = 0; i < 6; i++) {
        d[i] = dims[order[i]];
        to[i] = in_deep[order[i]];
        from[i] = in_wide[order[i]];
    }
    tni_copy_init(p, elem, 6, d, to, from);
}

static tn_status infer(tni_infer *c, bool to_space)
{
    geometry g;
    TN_TRY(geometry_of(&g, c->node, c->err));
    int64_t dims[4] = {TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN,
                       TNI_DIM_UNKNOWN};
    if (tni_infer_ranked(c, 0))
        TN_TRY(shape(dims, &g, to_space, c->in[0]->rank, c->in[0]->dims,
                     c->err));
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 4, dims);
}

static tn_status ref(tni_ref *c, bool to_space)
{
    const tni_tensor *x = c->in[0];
    geometry g;
    int64_t dims[4];
    TN_TRY(geometry_of(&g, c->node, c->err));
    TN_TRY(shape(dims, &g, to_space, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, 4, dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    tni_copy copy;
    init_copy(&copy, &g, to_space, tn_dtype_size(x->dtype),
              to_space ? dims : x->dims, to_space ? x->dims : dims);
    tni_copy_run(&copy, c->out[0]->data, x->data, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    tni_copy_run(c->state, c->out[0]->data, c->in[0]->data, c->par);
}

static tn_status plan(tni_plan *c, bool to_space)
{
    const tni_type *x = c->in[0], *y = c->out[0];
    geometry g;
    TN_TRY(geometry_of(&g, c->node, c->err));
    tni_copy *copy = TNI_NEW(c->arena, tni_copy);
    if (copy == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    int64_t len = 0;
    if (!tni_dims_len(&len, 4, x->dims)) return TN_OK;
    if (len > 0)
        init_copy(copy, &g, to_space, tn_dtype_size(x->dtype),
                  to_space ? y->dims : x->dims, to_space ? x->dims : y->dims);
    tni_copy_tune(copy, c->kernels);
    c->state = copy;
    c->run = run;
    return TN_OK;
}

tn_status tni_depth_to_space_infer(tni_infer *c)
{
    return infer(c, true);
}

tn_status tni_depth_to_space_ref(tni_ref *c)
{
    return ref(c, true);
}

tn_status tni_depth_to_space_plan(tni_plan *c)
{
    return plan(c, true);
}

tn_status tni_space_to_depth_infer(tni_infer *c)
{
    return infer(c, false);
}

tn_status tni_space_to_depth_ref(tni_ref *c)
{
    return ref(c, false);
}

tn_status tni_space_to_depth_plan(tni_plan *c)
{
    return plan(c, false);
}
