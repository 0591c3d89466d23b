/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - the regular part of a tensor that Slice and its kin take */
#include "ops/slice.h"

#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

typedef struct ranges {
    int n;
    int n_axes; /* -1: the first n */
    int64_t starts[TN_MAX_RANK], ends[TN_MAX_RANK], steps[TN_MAX_RANK];
    int64_t axes[TN_MAX_RANK];
} ranges;

static tn_status same_count(int n, int want, const char *what, tn_err *err)
{
    if (n == want) return TN_OK;
    return tni_fail(err, TN_EINVAL, "%d %s, but %d starts", n, what, want);
}

/* in[1 … 4] are starts, ends, axes and steps; without them attributes are. */
static tn_status ranges_of(ranges *r, const tni_node *node,
                           const tni_tensor *const in[5], tn_err *err)
{
    memset(r, 0, sizeof *r);
    r->n_axes = -1;
    int n = 0;
    if (in[1] == NULL) {
        const int64_t *starts = tni_attr_ints(node, "starts", &r->n);
        const int64_t *ends = tni_attr_ints(node, "ends", &n);
        TN_TRY(same_count(n, r->n, "ends", err));
        const int64_t *axes = tni_attr_ints(node, "axes", &n);
        if (n > 0) TN_TRY(same_count(n, r->n, "axes", err));
        if (n > 0) r->n_axes = n;
        if (r->n > TN_MAX_RANK)
            return tni_fail(err, TN_EINVAL, "%d starts, expected at most %d",
                            r->n, (int)TN_MAX_RANK);
        for (int i = 0; i < r->n; i++) {
            r->starts[i] = starts[i];
            r->ends[i] = ends[i];
            r->steps[i] = 1;
            if (n > 0) r->axes[i] = axes[i];
        }
        return TN_OK;
    }
    TN_TRY(tni_tensor_ints(r->starts, &r->n, in[1], err));
    TN_TRY(tni_tensor_ints(r->ends, &n, in[2], err));
    TN_TRY(same_count(n, r->n, "ends", err));
    if (in[3] != NULL) {
        TN_TRY(tni_tensor_ints(r->axes, &r->n_axes, in[3], err));
        TN_TRY(same_count(r->n_axes, r->n, "axes", err));
    }
    for (int i = 0; i < r->n; i++) r->steps[i] = 1;
    if (in[4] != NULL) {
        TN_TRY(tni_tensor_ints(r->steps, &n, in[4], err));
        TN_TRY(same_count(n, r->n, "steps", err));
    }
    return TN_OK;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* First index, step and count of one axis of known extent. */
static tn_status resolve(int64_t *first, int64_t *count, int64_t start,
                         int64_t end, int64_t step, int64_t dim, tn_err *err)
{
    if (step == 0) return tni_fail(err, TN_EINVAL, "step 0, expected another");
    if (start < 0 && !tni_add_i64(start, dim, &start)) start = 0;
    if (end < 0 && !tni_add_i64(end, dim, &end)) end = 0;
    uint64_t span = 0, by = 0;
    if (step > 0) {
        start = clamp(start, 0, dim);
        end = clamp(end, 0, dim);
        if (end > start) span = (uint64_t)(end - start);
        by = (uint64_t)step;
    } else {
        start = clamp(start, -1, dim - 1);
        end = clamp(end, -1, dim - 1);
        if (start > end) span = (uint64_t)(start - end);
        by = 0 - (uint64_t)step;
    }
    *first = start;
    *count = (int64_t)(span / by + (span % by != 0 ? 1 : 0));
    return TN_OK;
}

/* The extent of an axis that is not known: kept when everything is taken. */
static int64_t open_extent(int64_t start, int64_t end, int64_t step,
                           int64_t dim)
{
    const int64_t far = INT32_MAX;
    if (step == 1 && start == 0 && end >= far) return dim;
    if (step == -1 && start == -1 && end <= -far) return dim;
    return TNI_DIM_UNKNOWN;
}

typedef struct cut {
    int64_t dims[TN_MAX_RANK], first[TN_MAX_RANK], step[TN_MAX_RANK];
} cut;

static tn_status cut_of(cut *s, const ranges *r, int rank, const int64_t *dims,
                        tn_err *err)
{
    for (int d = 0; d < rank; d++) {
        s->dims[d] = dims[d];
        s->first[d] = 0;
        s->step[d] = 1;
    }
    if (r->n_axes < 0 && r->n > rank)
        return tni_fail(err, TN_EINVAL, "%d starts for data of rank %d", r->n,
                        rank);
    uint32_t mask = 0;
    if (r->n_axes >= 0)
        TN_TRY(tni_axes_mask(&mask, r->axes, r->n_axes, rank, err));
    for (int i = 0; i < r->n; i++) {
        int axis = i;
        if (r->n_axes >= 0) TN_TRY(tni_axis(&axis, r->axes[i], rank, err));
        if (dims[axis] < 0) {
            s->dims[axis] =
                open_extent(r->starts[i], r->ends[i], r->steps[i], dims[axis]);
            continue;
        }
        TN_TRY(resolve(&s->first[axis], &s->dims[axis], r->starts[i],
                       r->ends[i], r->steps[i], dims[axis], err));
        s->step[axis] = r->steps[i];
    }
    return TN_OK;
}

tn_status tni_slice_infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    const tni_tensor *in[5] = {NULL};
    bool known = true, axes_known = true;
    for (int i = 1; i < 5; i++) {
        in[i] = tni_infer_const(c, i);
        if (!tni_infer_has(c, i) || in[i] != NULL) continue;
        known = false;
        if (i == 3) axes_known = false;
    }
    cut s;
    if (!known) {
        /* The axes alone tell which extents stay. */
        int64_t axes[TN_MAX_RANK];
        int n = 0;
        uint32_t mask = (1u << x->rank) - 1u;
        if (axes_known && in[3] != NULL) {
            TN_TRY(tni_tensor_ints(axes, &n, in[3], c->err));
            TN_TRY(tni_axes_mask(&mask, axes, n, x->rank, c->err));
        }
        for (int d = 0; d < x->rank; d++)
            s.dims[d] = ((mask >> d) & 1u) != 0 ? TNI_DIM_UNKNOWN : x->dims[d];
        return tni_infer_dims(c, 0, dtype, x->rank, s.dims);
    }
    ranges r;
    TN_TRY(ranges_of(&r, c->node, in, c->err));
    TN_TRY(cut_of(&s, &r, x->rank, x->dims, c->err));
    return tni_infer_dims(c, 0, dtype, x->rank, s.dims);
}

/* The copy of a cut, and the byte offset of its first element. */
static void init_copy(tni_copy *p, int64_t *offset, const cut *s,
                      tn_dtype dtype, int rank, const int64_t *dims)
{
    int64_t strides[TN_MAX_RANK], to[TN_MAX_RANK];
    tni_strides(strides, rank, dims);
    tni_strides(to, rank, s->dims);
    *offset = 0;
    for (int d = 0; d < rank; d++) {
        if (s->dims[d] > 0)
            *offset += s->first[d] * strides[d] * (int64_t)tn_dtype_size(dtype);
        /* A step beyond the extent is never taken and could overflow. */
        strides[d] = s->dims[d] > 1 ? strides[d] * s->step[d] : 0;
    }
    tni_copy_init(p, tn_dtype_size(dtype), rank, s->dims, to, strides);
}

tn_status tni_slice_ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tni_tensor *in[5] = {NULL};
    for (int i = 1; i < 5; i++) in[i] = tni_ref_has(c, i) ? c->in[i] : NULL;
    ranges r;
    cut s;
    TN_TRY(ranges_of(&r, c->node, in, c->err));
    TN_TRY(cut_of(&s, &r, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, s.dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_copy copy;
    int64_t offset = 0;
    init_copy(&copy, &offset, &s, x->dtype, x->rank, x->dims);
    tni_copy_run(&copy, c->out[0]->data, (const char *)x->data + offset,
                 c->par);
    return TN_OK;
}

typedef struct state {
    tni_copy copy;
    int64_t offset;
} state;

static void run(const tni_run *c)
{
    const state *s = c->state;
    if (s->copy.len == 0) return;
    tni_copy_run(&s->copy, c->out[0]->data,
                 (const char *)c->in[0]->data + s->offset, c->par);
}

/* False: known at run only. */
static bool known_args(const tni_tensor *in[5], const tni_plan *c)
{
    for (int i = 1; i < 5 && i < c->n_in; i++) {
        if (c->in[i] == NULL) continue;
        in[i] = c->in_const[i];
        if (in[i] == NULL) return false;
    }
    return true;
}

tn_status tni_slice_plan(tni_plan *c)
{
    const tni_type *x = c->in[0];
    const tni_tensor *in[5] = {NULL};
    if (!known_args(in, c)) return TN_OK;
    ranges r;
    cut cuts;
    TN_TRY(ranges_of(&r, c->node, in, c->err));
    TN_TRY(cut_of(&cuts, &r, x->rank, x->dims, c->err));
    state *s = TNI_NEW(c->arena, state);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int d = 0; d < x->rank; d++)
        if (cuts.dims[d] == 0) {
            c->state = s; /* an empty copy */
            c->run = run;
            return TN_OK;
        }
    init_copy(&s->copy, &s->offset, &cuts, x->dtype, x->rank, x->dims);
    c->state = s;
    c->run = run;
    return TN_OK;
}

bool tni_slice_piece(const tni_plan *c, int k, size_t *offset)
{
    const tni_type *x = c->in[0];
    const tni_tensor *in[5] = {NULL};
    int64_t strides[TN_MAX_RANK];
    ranges r;
    cut s;
    if (k != 0 || !known_args(in, c) ||
        ranges_of(&r, c->node, in, NULL) != TN_OK ||
        cut_of(&s, &r, x->rank, x->dims, NULL) != TN_OK)
        return false;
    int axis = 0; /* the first of more than one element; the rest is whole */
    while (axis < x->rank && s.dims[axis] == 1) axis++;
    if (axis < x->rank && s.step[axis] != 1) return false;
    for (int d = axis + 1; d < x->rank; d++)
        if (s.dims[d] != x->dims[d] || s.step[d] != 1) return false;
    tni_strides(strides, x->rank, x->dims);
    int64_t at = 0;
    for (int d = 0; d <= axis && d < x->rank; d++) {
        if (s.dims[d] == 0) return false;
        at += s.first[d] * strides[d];
    }
    *offset = (size_t)at * tn_dtype_size(x->dtype);
    return true;
}
