/* SPDX-License-Identifier: Apache-2.0 */
/* argextreme.c - the place of the largest or smallest element of an axis */
#include "ops/argextreme.h"

#include "ops/order.h"

static tn_status reduced(int64_t *dims, int *rank, int *axis,
                         const tni_node *node, int in_rank,
                         const int64_t *in_dims, tn_err *err)
{
    TN_TRY(tni_axis(axis, tni_attr_int(node, "axis", 0), in_rank, err));
    if (in_dims[*axis] == 0)
        return tni_fail(err, TN_EINVAL, "axis %d is empty", *axis);
    const bool keep = tni_attr_int(node, "keepdims", 1) != 0;
    int r = 0;
    for (int d = 0; d < in_rank; d++) {
        if (d != *axis)
            dims[r++] = in_dims[d];
        else if (keep)
            dims[r++] = 1;
    }
    *rank = r;
    return TN_OK;
}

tn_status tni_arg_extreme_infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, TN_I64);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    int64_t dims[TN_MAX_RANK];
    int rank = 0, axis = 0;
    TN_TRY(reduced(dims, &rank, &axis, c->node, c->in[0]->rank,
                   c->in[0]->dims, c->err));
    return tni_infer_dims(c, 0, TN_I64, rank, dims);
}

enum { CHUNK = 512 };

/* Keys in pieces: the best so far survives from piece to piece. */
static int64_t extreme(const tni_tensor *x, int64_t first, int64_t step,
                       int64_t n, bool max, bool last)
{
    uint64_t keys[CHUNK], best_key = 0;
    int64_t best = 0;
    for (int64_t i = 0; i < n; i += CHUNK) {
        const int64_t m = n - i < CHUNK ? n - i : CHUNK;
        tni_order_keys(keys, x, first + i * step, step, m,
                       max ? TNI_NAN_LAST : TNI_NAN_FIRST);
        for (int64_t j = 0; j < m; j++) {
            const uint64_t k = max ? keys[j] : ~keys[j];
            if (k > best_key || (last && k == best_key) || i + j == 0) {
                best_key = k;
                best = i + j;
            }
        }
    }
    return best;
}

typedef struct job {
    const tni_tensor *x;
    int64_t *y;
    int64_t n, inner, rows, rows_per_task;
    bool max, last;
} job;

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const job *j = ctx;
    int64_t stop = (int64_t)end * j->rows_per_task;
    if (stop > j->rows) stop = j->rows;
    for (int64_t row = (int64_t)begin * j->rows_per_task; row < stop; row++)
        j->y[row] = extreme(j->x, row / j->inner * j->n * j->inner +
                                      row % j->inner,
                            j->inner, j->n, j->max, j->last);
}

static tn_status ref(tni_ref *c, bool max)
{
    const tni_tensor *x = c->in[0];
    int64_t dims[TN_MAX_RANK];
    int rank = 0, axis = 0;
    TN_TRY(reduced(dims, &rank, &axis, c->node, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, TN_I64, rank, dims));
    if (!tni_ref_wants(c, 0) || x->len == 0) return TN_OK;
    job j = {.x = x, .y = TNI_DATA(int64_t, c->out[0]), .n = x->dims[axis],
             .inner = 1, .max = max,
             .last = tni_attr_int(c->node, "select_last_index", 0) != 0};
    for (int d = axis + 1; d < x->rank; d++) j.inner *= x->dims[d];
    j.rows = x->len / j.n;
    j.rows_per_task = j.n < 16384 ? 16384 / j.n : 1;
    tni_par_for(c->par,
                (size_t)((j.rows + j.rows_per_task - 1) / j.rows_per_task),
                tasks, &j);
    return TN_OK;
}

tn_status tni_arg_max_ref(tni_ref *c)
{
    return ref(c, true);
}

tn_status tni_arg_min_ref(tni_ref *c)
{
    return ref(c, false);
}
