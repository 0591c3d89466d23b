/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_gather.c - ONNX Gather, opset 1
 *
 * Shapes:  data[a…, d, b…], indices[i…]  ->  output[a…, i…, b…]
 * Types:   all; indices int32 or int64, negative ones count from the end
 * Errors:  EINVAL an index outside [-d, d)
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

static tn_status gathered(int64_t *out, int *rank_out, int axis, int rank,
                          const int64_t *dims, int n, const int64_t *idims,
                          tn_err *err)
{
    const int r = rank - 1 + n;
    if (r > TN_MAX_RANK)
        return tni_fail(err, TN_ELIMIT, "rank %d exceeds %d", r,
                        (int)TN_MAX_RANK);
    int k = 0;
    for (int d = 0; d < axis; d++) out[k++] = dims[d];
    for (int d = 0; d < n; d++) out[k++] = idims[d];
    for (int d = axis + 1; d < rank; d++) out[k++] = dims[d];
    *rank_out = r;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int axis = 0, rank = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    if (!tni_infer_ranked(c, 1)) return TN_OK;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(gathered(dims, &rank, axis, x->rank, x->dims, c->in[1]->rank,
                    c->in[1]->dims, c->err));
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

typedef struct shape {
    int64_t outer, dim, n, row_bytes; /* one row: what an index selects */
} shape;

static shape shape_of(tn_dtype dtype, int axis, int rank, const int64_t *dims,
                      int n, const int64_t *idims)
{
    shape s = {1, dims[axis], 1, (int64_t)tn_dtype_size(dtype)};
    for (int d = 0; d < axis; d++) s.outer *= dims[d];
    for (int d = axis + 1; d < rank; d++) s.row_bytes *= dims[d];
    for (int d = 0; d < n; d++) s.n *= idims[d];
    return s;
}

static int64_t index_at(const tni_tensor *t, int64_t i)
{
    return t->dtype == TN_I32 ? TNI_CDATA(int32_t, t)[i]
                              : TNI_CDATA(int64_t, t)[i];
}

typedef struct job {
    const shape *s;
    const tni_tensor *indices;
    char *to;
    const char *from;
    int64_t rows_per_task;
    _Atomic int bad;
} job;

static void copy_row(char *to, const char *from, int64_t bytes)
{
    switch (bytes) {
    case 1: memcpy(to, from, 1); break;
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    default: memcpy(to, from, (size_t)bytes); break;
    }
}

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    job *j = ctx;
    const shape *s = j->s;
    const int64_t n_rows = s->outer * s->n, bytes = s->row_bytes;
    int64_t last = (int64_t)end * j->rows_per_task;
    if (last > n_rows) last = n_rows;
    bool bad = false;
    for (int64_t r = (int64_t)begin * j->rows_per_task; r < last; r++) {
        int64_t i = index_at(j->indices, r % s->n);
        if (i < 0) i += s->dim;
        char *to = j->to + r * bytes;
        if (i < 0 || i >= s->dim) {
            memset(to, 0, (size_t)bytes);
            bad = true;
        } else {
            copy_row(to, j->from + (r / s->n * s->dim + i) * bytes, bytes);
        }
    }
    if (bad) atomic_store_explicit(&j->bad, 1, memory_order_relaxed);
}

/* False when an index was out of range; its row is then zero. */
static bool gather(const shape *s, const tni_tensor *indices, void *to,
                   const void *from, const tni_par *par)
{
    const int64_t rows = s->outer * s->n;
    if (rows == 0 || s->row_bytes == 0) return true;
    job j = {.s = s, .indices = indices, .to = to, .from = from};
    const int64_t grain = 64 * 1024;
    j.rows_per_task = s->row_bytes < grain ? grain / s->row_bytes : 1;
    tni_par_for(par, (size_t)((rows + j.rows_per_task - 1) / j.rows_per_task),
                tasks, &j);
    return atomic_load_explicit(&j.bad, memory_order_relaxed) == 0;
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0], *indices = c->in[1];
    int axis = 0, rank = 0;
    int64_t dims[TN_MAX_RANK];
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    TN_TRY(gathered(dims, &rank, axis, x->rank, x->dims, indices->rank,
                    indices->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    for (int64_t i = 0; i < indices->len; i++) {
        int64_t at = 0;
        TN_TRY(tni_index(&at, index_at(indices, i), x->dims[axis], c->err));
    }
    const shape s = shape_of(x->dtype, axis, x->rank, x->dims, indices->rank,
                             indices->dims);
    (void)gather(&s, indices, c->out[0]->data, x->data, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    if (c->out[0]->len != 0 &&
        !gather(c->state, c->in[1], c->out[0]->data, c->in[0]->data, c->par))
        tni_run_fault(c, "Gather: an index is outside the axis");
}

static tn_status plan(tni_plan *c)
{
    const tni_type *x = c->in[0], *indices = c->in[1];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    shape *s = TNI_NEW(c->arena, shape);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    *s = shape_of(x->dtype, axis, x->rank, x->dims, indices->rank,
                  indices->dims);
    c->state = s;
    c->run = run;
    return TN_OK;
}

/* One index known now takes one row. */
static bool piece(const tni_plan *c, int k, size_t *offset)
{
    const tni_type *x = c->in[0];
    const tni_tensor *indices = c->in_const[1];
    int axis = 0;
    int64_t at = 0;
    if (k != 0 || indices == NULL || indices->len != 1 ||
        tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, NULL) !=
            TN_OK ||
        tni_index(&at, index_at(indices, 0), x->dims[axis], NULL) != TN_OK)
        return false;
    const shape s = shape_of(x->dtype, axis, x->rank, x->dims, indices->rank,
                             indices->dims);
    if (s.outer != 1) return false;
    *offset = (size_t)(at * s.row_bytes);
    return true;
}

static const tni_arg ins[] = {{"data", TNI_ANY, 'T', 0},
                              {"indices", TNI_T(TN_I32) | TNI_T(TN_I64), 0, 0}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs[] = {{"axis", TNI_ATTR_INT, "0"}};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs),
     .traits = TNI_CUTS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
};

const tni_op tni_op_gather = {
    .domain = "",
    .name = "Gather",
    .summary = "Takes slices by index along one axis",
    TNI_VERSIONS(versions),
};
