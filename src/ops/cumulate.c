/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cumulate.c - running sums and products along an axis
 *
 * The row before in the output is the total so far; a task owns a set of lanes
 * beside the axis and walks the whole of it. Halves are rounded at each step,
 * as NumPy does.
 */
#include "ops/cumulate.h"

#include <string.h>

enum { BLOCK = 256 };

const tni_attr_spec tni_cumulate_attrs[2] = {
    {"exclusive", TNI_ATTR_INT, "0"},
    {"reverse", TNI_ATTR_INT, "0"},
};

typedef struct cumulate_job {
    const tni_cumulate *op;
    tn_dtype dtype;
    bool exclusive, reverse;
    size_t size, axis_len, lanes, outer;
    const char *x;
    char *y;
} cumulate_job;

static void combine(const cumulate_job *j, char *z, const char *total,
                    const char *x, size_t n)
{
    const tni_ew_zip_fn fn = j->op->zip->fn[j->dtype];
    if (fn != NULL) {
        fn(z, total, x, n, 1, 1, NULL);
        return;
    }
    float a[BLOCK], b[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        tni_convert(a, TN_F32, total + i * j->size, j->dtype, m, NULL);
        tni_convert(b, TN_F32, x + i * j->size, j->dtype, m, NULL);
        j->op->zip->fn[TN_F32](a, a, b, m, 1, 1, NULL);
        tni_convert(z + i * j->size, j->dtype, a, TN_F32, m, NULL);
    }
}

static bool line_piece(const cumulate_job *j, size_t row)
{
    const tni_cumulate_fn fn = j->op->line[j->dtype];
    if (j->lanes != 1 || fn == NULL || j->axis_len == 0) return false;
    size_t at = row * j->axis_len;
    if (j->reverse) at += j->axis_len - 1;
    fn(j->y + at * j->size, j->x + at * j->size, j->axis_len,
       j->reverse ? -1 : 1, j->exclusive);
    return true;
}

static void lanes_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const cumulate_job *j = ctx;
    const size_t step = j->lanes * j->size;
    const size_t base = row * j->axis_len * step + first * j->size;
    size_t before = 0;
    if (line_piece(j, row)) return;
    for (size_t k = 0; k < j->axis_len; k++) {
        const size_t pos = j->reverse ? j->axis_len - 1 - k : k;
        const size_t at = base + pos * step;
        if (k > 0)
            combine(j, j->y + at, j->y + before,
                    j->x + (j->exclusive ? before : at), n);
        else if (!j->exclusive)
            memcpy(j->y + at, j->x + at, n * j->size);
        else
            for (size_t i = 0; i < n; i++)
                tni_convert(j->y + at + i * j->size, j->dtype, &j->op->identity,
                            TN_F64, 1, NULL);
        before = at;
    }
}

static tn_status job_init(cumulate_job *j, const tni_cumulate *op,
                          const tni_node *node, tn_dtype dtype, int rank,
                          const int64_t *dims, const tni_tensor *axis_tensor,
                          tn_err *err)
{
    int axis = 0;
    if (axis_tensor->len != 1)
        return tni_fail(err, TN_EINVAL, "axis has %lld elements, expected one",
                        (long long)axis_tensor->len);
    TN_TRY(tni_axis(&axis, tni_get_i64(axis_tensor, 0), rank, err));
    j->op = op;
    j->dtype = dtype;
    j->size = tn_dtype_size(dtype);
    j->exclusive = tni_attr_int(node, "exclusive", 0) != 0;
    j->reverse = tni_attr_int(node, "reverse", 0) != 0;
    j->axis_len = (size_t)dims[axis];
    j->outer = j->lanes = 1;
    for (int d = 0; d < axis; d++) j->outer *= (size_t)dims[d];
    for (int d = axis + 1; d < rank; d++) j->lanes *= (size_t)dims[d];
    return TN_OK;
}

tn_status tni_cumulate_ref(tni_ref *c, const tni_cumulate *op)
{
    const tni_tensor *x = c->in[0];
    cumulate_job j;
    TN_TRY(job_init(&j, op, c->node, x->dtype, x->rank, x->dims, c->in[1],
                    c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    j.x = x->data;
    j.y = c->out[0]->data;
    tni_rows_for(c->par, j.outer, j.lanes, lanes_piece, &j);
    return TN_OK;
}

static void cumulate_run(const tni_run *c)
{
    cumulate_job j = *(const cumulate_job *)c->state;
    j.x = c->in[0]->data;
    j.y = c->out[0]->data;
    tni_rows_for(c->par, j.outer, j.lanes, lanes_piece, &j);
}

tn_status tni_cumulate_plan(tni_plan *c, const tni_cumulate *op)
{
    /* An axis that is known only at run is left to ref. */
    if (c->out[0] == NULL || c->in_const[1] == NULL) return TN_OK;
    cumulate_job *j = TNI_NEW(c->arena, cumulate_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tni_type *x = c->in[0];
    TN_TRY(job_init(j, op, c->node, x->dtype, x->rank, x->dims, c->in_const[1],
                    c->err));
    c->state = j;
    c->run = cumulate_run;
    return TN_OK;
}
