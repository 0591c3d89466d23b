/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce_axes.c - reductions over any set of axes
 *
 * Axes of extent 1 are dropped and neighbours of one kind merged, which leaves
 * a short alternation of kept and reduced groups. The plan walks rows of the
 * last group: contiguous sums when it is reduced, blocks of columns when it is
 * kept. Each output is computed by one task in one order.
 */
#include "ops/reduce_axes.h"

#include "kernels/kernels.h"
#include "ops/nn.h"

#include <math.h>

const tni_attr_spec tni_reduce_attrs_1[2] = {
    {"axes", TNI_ATTR_INTS, NULL},
    {"keepdims", TNI_ATTR_INT, "1"},
};

const tni_attr_spec tni_reduce_attrs_18[2] = {
    {"keepdims", TNI_ATTR_INT, "1"},
    {"noop_with_empty_axes", TNI_ATTR_INT, "0"},
};

/* The merged loop nest. */
typedef struct nest {
    int n_kept, n_red;
    int64_t kept[TN_MAX_RANK], kept_stride[TN_MAX_RANK];
    int64_t red[TN_MAX_RANK], red_stride[TN_MAX_RANK];
    int64_t out_len, red_len;
} nest;

/* All axes when none is named, unless that means none. */
static tn_status axes_mask(uint32_t *mask, const tni_node *node,
                           const int64_t *axes, int n, int rank, tn_err *err)
{
    if (n <= 0) {
        const bool noop = tni_attr_int(node, "noop_with_empty_axes", 0) != 0;
        *mask = noop ? 0 : (uint32_t)((1u << rank) - 1u);
        return TN_OK;
    }
    return tni_axes_mask(mask, axes, n, rank, err);
}

static int reduced_dims(int64_t *out, const int64_t *dims, int rank,
                        uint32_t mask, bool keep)
{
    int n = 0;
    for (int i = 0; i < rank; i++) {
        if ((mask >> i & 1u) == 0)
            out[n++] = dims[i];
        else if (keep)
            out[n++] = 1;
    }
    return n;
}

tn_status tni_reduce_infer(tni_infer *c)
{
    const bool keep = tni_attr_int(c->node, "keepdims", 1) != 0;
    int64_t axes[TN_MAX_RANK], dims[TN_MAX_RANK];
    uint32_t mask = 0;
    int n = 0, rank;
    bool known = false;
    TN_TRY(tni_infer_axes(c, 1, axes, &n, &known));
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    rank = c->in[0]->rank;
    if (known) {
        TN_TRY(axes_mask(&mask, c->node, axes, n, rank, c->err));
        rank = reduced_dims(dims, c->in[0]->dims, rank, mask, keep);
        return tni_infer_dims(c, 0, c->in[0]->dtype, rank, dims);
    }
    if (!keep) {
        tni_infer_unranked(c, 0, c->in[0]->dtype);
        return TN_OK;
    }
    for (int i = 0; i < rank; i++) dims[i] = TNI_DIM_UNKNOWN;
    return tni_infer_dims(c, 0, c->in[0]->dtype, rank, dims);
}

static void nest_make(nest *s, const int64_t *dims, int rank, uint32_t mask)
{
    int64_t stride = 1, ext[TN_MAX_RANK], str[TN_MAX_RANK];
    bool red[TN_MAX_RANK];
    int n = 0;
    *s = (nest){.out_len = 1, .red_len = 1};
    /* Innermost first; merged groups keep the inner stride. */
    for (int i = rank - 1; i >= 0; i--) {
        const bool r = (mask >> i & 1u) != 0;
        if (r)
            s->red_len *= dims[i];
        else
            s->out_len *= dims[i];
        if (dims[i] != 1) {
            if (n > 0 && red[n - 1] == r) {
                ext[n - 1] *= dims[i];
            } else {
                ext[n] = dims[i];
                str[n] = stride;
                red[n++] = r;
            }
        }
        stride *= dims[i];
    }
    for (int i = n - 1; i >= 0; i--) {
        if (red[i]) {
            s->red[s->n_red] = ext[i];
            s->red_stride[s->n_red++] = str[i];
        } else {
            s->kept[s->n_kept] = ext[i];
            s->kept_stride[s->n_kept++] = str[i];
        }
    }
}

/* Offset of row-major position `pos` over n extents. */
static int64_t nest_offset(const int64_t *ext, const int64_t *stride, int n,
                           int64_t pos)
{
    int64_t off = 0;
    for (int i = n - 1; i >= 0; i--) {
        off += pos % ext[i] * stride[i];
        pos /= ext[i];
    }
    return off;
}

/* --- reference ---------------------------------------------------------- */

/* One set of doubles: `outer` runs of `n` elements `step` apart. */
static double reduce_set(tni_reduce_kind kind, const nest *s, const double *x)
{
    const int last = s->n_red - 1;
    const int64_t n = s->n_red > 0 ? s->red[last] : 1;
    const int64_t step = s->n_red > 0 ? s->red_stride[last] : 0;
    const int64_t outer = s->red_len == 0 ? 0 : s->red_len / n;
    double acc = 0, max = -(double)INFINITY;
    switch (kind) {
    case TNI_REDUCTION_PROD: acc = 1; break;
    case TNI_REDUCTION_MAX: acc = -(double)INFINITY; break;
    case TNI_REDUCTION_MIN: acc = (double)INFINITY; break;
    default: break;
    }
    if (kind == TNI_REDUCTION_LOG_SUM_EXP) {
        for (int64_t o = 0; o < outer; o++) {
            const double *p =
                x + nest_offset(s->red, s->red_stride, last < 0 ? 0 : last, o);
            for (int64_t i = 0; i < n; i++)
                if (p[i * step] > max || p[i * step] != p[i * step])
                    max = p[i * step];
        }
        if (!isfinite(max)) return max;
    }
    for (int64_t o = 0; o < outer; o++) {
        const double *p =
            x + nest_offset(s->red, s->red_stride, last < 0 ? 0 : last, o);
        for (int64_t i = 0; i < n; i++) {
            const double v = p[i * step];
            switch (kind) {
            case TNI_REDUCTION_SUM:
            case TNI_REDUCTION_MEAN:
            case TNI_REDUCTION_LOG_SUM: acc += v; break;
            case TNI_REDUCTION_MAX:
                if (v > acc || v != v) acc = v;
                if (acc != acc) return acc;
                break;
            case TNI_REDUCTION_MIN:
                if (v < acc || v != v) acc = v;
                if (acc != acc) return acc;
                break;
            case TNI_REDUCTION_PROD: acc *= v; break;
            case TNI_REDUCTION_L1: acc += fabs(v); break;
            case TNI_REDUCTION_L2:
            case TNI_REDUCTION_SUM_SQUARE: acc += v * v; break;
            case TNI_REDUCTION_LOG_SUM_EXP: acc += exp(v - max); break;
            }
        }
    }
    switch (kind) {
    case TNI_REDUCTION_MEAN: return acc / (double)s->red_len;
    case TNI_REDUCTION_L2: return sqrt(acc);
    case TNI_REDUCTION_LOG_SUM: return log(acc);
    case TNI_REDUCTION_LOG_SUM_EXP: return log(acc) + max;
    default: return acc;
    }
}

/* Exact integer reductions, wrapping; uint64_t carries every integer dtype. */
static uint64_t load_int(const void *x, tn_dtype t, int64_t i)
{
    switch (t) {
    case TN_I8: return (uint64_t)(int64_t)((const int8_t *)x)[i];
    case TN_I16: return (uint64_t)(int64_t)((const int16_t *)x)[i];
    case TN_I32: return (uint64_t)(int64_t)((const int32_t *)x)[i];
    case TN_I64: return (uint64_t)((const int64_t *)x)[i];
    case TN_U16: return ((const uint16_t *)x)[i];
    case TN_U32: return ((const uint32_t *)x)[i];
    case TN_U64: return ((const uint64_t *)x)[i];
    default: return ((const uint8_t *)x)[i];
    }
}

static void store_int(void *y, tn_dtype t, int64_t i, uint64_t v)
{
    switch (tn_dtype_size(t)) {
    case 1: ((uint8_t *)y)[i] = (uint8_t)v; break;
    case 2: ((uint16_t *)y)[i] = (uint16_t)v; break;
    case 4: ((uint32_t *)y)[i] = (uint32_t)v; break;
    default: ((uint64_t *)y)[i] = v; break;
    }
}

static bool less_int(uint64_t a, uint64_t b, bool is_signed)
{
    return is_signed ? (int64_t)a < (int64_t)b : a < b;
}

/* Lowest (max = false) or highest value of an integer dtype or bool. */
static uint64_t int_limit(tn_dtype t, bool high)
{
    const unsigned bits = (unsigned)tn_dtype_size(t) * 8u;
    if (t == TN_BOOL) return high;
    if (tni_is_signed_int(t)) {
        const uint64_t top = UINT64_C(1) << (bits - 1u);
        return high ? top - 1u : (uint64_t)0 - top;
    }
    return high ? UINT64_MAX >> (64u - bits) : 0;
}

static uint64_t reduce_int_set(tni_reduce_kind kind, const nest *s,
                               const void *x, tn_dtype t, int64_t base)
{
    const bool sig = tni_is_signed_int(t);
    uint64_t acc = 0;
    switch (kind) {
    case TNI_REDUCTION_PROD: acc = 1; break;
    case TNI_REDUCTION_MAX: acc = int_limit(t, false); break;
    case TNI_REDUCTION_MIN: acc = int_limit(t, true); break;
    default: break;
    }
    for (int64_t r = 0; r < s->red_len; r++) {
        const uint64_t v = load_int(
            x, t, base + nest_offset(s->red, s->red_stride, s->n_red, r));
        switch (kind) {
        case TNI_REDUCTION_MAX:
            if (less_int(acc, v, sig)) acc = v;
            break;
        case TNI_REDUCTION_MIN:
            if (less_int(v, acc, sig)) acc = v;
            break;
        case TNI_REDUCTION_PROD: acc *= v; break;
        case TNI_REDUCTION_L1:
            acc += sig && (int64_t)v < 0 ? (uint64_t)0 - v : v;
            break;
        case TNI_REDUCTION_SUM_SQUARE: acc += v * v; break;
        default: acc += v; break;
        }
    }
    if (kind == TNI_REDUCTION_MEAN && s->red_len > 0) {
        if (sig && (int64_t)acc < 0)
            acc = (uint64_t)0 - ((uint64_t)0 - acc) / (uint64_t)s->red_len;
        else
            acc /= (uint64_t)s->red_len;
    }
    return acc;
}

tn_status tni_reduce_ref_over(tni_ref *c, tni_reduce_kind kind, uint32_t mask,
                              bool keep)
{
    const tni_tensor *const x = c->in[0];
    int64_t dims[TN_MAX_RANK];
    const double *xf = NULL;
    double *yf = NULL;
    const int rank = reduced_dims(dims, x->dims, x->rank, mask, keep);
    nest s;
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    nest_make(&s, x->dims, x->rank, mask);
    if (!tni_is_float(x->dtype) && kind != TNI_REDUCTION_L2 &&
        kind != TNI_REDUCTION_LOG_SUM && kind != TNI_REDUCTION_LOG_SUM_EXP) {
        for (int64_t i = 0; i < s.out_len; i++) {
            const int64_t at = nest_offset(s.kept, s.kept_stride, s.n_kept, i);
            store_int(c->out[0]->data, x->dtype, i,
                      reduce_int_set(kind, &s, x->data, x->dtype, at));
        }
        return TN_OK;
    }
    TN_TRY(tni_nn_load(c, x, &xf));
    TN_TRY(tni_nn_open(c, 0, &yf));
    for (int64_t i = 0; i < s.out_len; i++)
        yf[i] = reduce_set(
            kind, &s, xf + nest_offset(s.kept, s.kept_stride, s.n_kept, i));
    tni_nn_store(c, 0, yf);
    return TN_OK;
}

tn_status tni_reduce_ref(tni_ref *c, tni_reduce_kind kind)
{
    const bool keep = tni_attr_int(c->node, "keepdims", 1) != 0;
    int64_t axes[TN_MAX_RANK];
    uint32_t mask = 0;
    int n = 0;
    TN_TRY(tni_ref_axes(c, 1, axes, &n));
    TN_TRY(axes_mask(&mask, c->node, axes, n, c->in[0]->rank, c->err));
    return tni_reduce_ref_over(c, kind, mask, keep);
}

/* --- f32 plan ----------------------------------------------------------- */

enum { COLS = 256 };

typedef struct reduce_state {
    nest s;
    tni_reduce_kind kind;
    const tni_kernels *kernels;
    bool row;       /* the innermost group is reduced */
    int64_t cols;   /* else: extent of the innermost kept group */
    int64_t blocks; /* column blocks per row of it */
    int64_t per_task, n_tasks, n_units; /* units: outputs or blocks */
} reduce_state;

typedef struct reduce_job {
    const reduce_state *st;
    const float *x;
    float *y;
} reduce_job;

static tni_reduce_op kernel_op(tni_reduce_kind kind)
{
    switch (kind) {
    case TNI_REDUCTION_MAX: return TNI_REDUCE_MAX;
    case TNI_REDUCTION_MIN: return TNI_REDUCE_MIN;
    case TNI_REDUCTION_PROD: return TNI_REDUCE_PROD;
    case TNI_REDUCTION_L1: return TNI_REDUCE_SUMABS;
    case TNI_REDUCTION_L2:
    case TNI_REDUCTION_SUM_SQUARE: return TNI_REDUCE_SUMSQ;
    default: return TNI_REDUCE_SUM;
    }
}

static double first_acc(tni_reduce_kind kind)
{
    switch (kind) {
    case TNI_REDUCTION_PROD: return 1;
    case TNI_REDUCTION_MAX: return -(double)INFINITY;
    case TNI_REDUCTION_MIN: return (double)INFINITY;
    default: return 0;
    }
}

static double join_acc(tni_reduce_kind kind, double acc, double v)
{
    switch (kind) {
    case TNI_REDUCTION_MAX: return v > acc || v != v ? v : acc;
    case TNI_REDUCTION_MIN: return v < acc || v != v ? v : acc;
    case TNI_REDUCTION_PROD: return acc * v;
    default: return acc + v;
    }
}

static float last_acc(tni_reduce_kind kind, double acc, int64_t n, double shift)
{
    switch (kind) {
    case TNI_REDUCTION_MEAN: return (float)(acc / (double)n);
    case TNI_REDUCTION_L2: return (float)sqrt(acc);
    case TNI_REDUCTION_LOG_SUM: return (float)log(acc);
    case TNI_REDUCTION_LOG_SUM_EXP: return (float)(log(acc) + shift);
    default: return (float)acc;
    }
}

/* The sum of exp(x - shift). */
static double sum_exp(const tni_kernels *k, const float *x, int64_t n,
                      float shift)
{
    float buf[COLS];
    double acc = 0;
    for (int64_t at = 0; at < n; at += COLS) {
        const int64_t m = n - at < COLS ? n - at : COLS;
        for (int64_t i = 0; i < m; i++) buf[i] = x[at + i] - shift;
        k->unary.f32[TNI_UNARY_EXP](buf, buf, (size_t)m, NULL);
        acc += (double)k->reduce.row[TNI_REDUCE_SUM](buf, (size_t)m);
    }
    return acc;
}

static double row_shift(const reduce_state *st, const float *x, int64_t outer)
{
    const nest *const s = &st->s;
    const int last = s->n_red - 1;
    double max = -(double)INFINITY;
    for (int64_t r = 0; r < outer; r++)
        max = join_acc(TNI_REDUCTION_MAX, max,
                       (double)st->kernels->reduce.row[TNI_REDUCE_MAX](
                           x + nest_offset(s->red, s->red_stride, last, r),
                           (size_t)s->red[last]));
    return max;
}

/* Outputs [begin, end), innermost group reduced and contiguous. */
static void rows_task(const reduce_job *j, int64_t begin, int64_t end)
{
    const reduce_state *const st = j->st;
    const nest *const s = &st->s;
    const tni_reduce_row_fn row = st->kernels->reduce.row[kernel_op(st->kind)];
    const bool lse = st->kind == TNI_REDUCTION_LOG_SUM_EXP;
    const int last = s->n_red - 1;
    const int64_t n = s->red[last];
    const int64_t outer = n == 0 ? 0 : s->red_len / n;
    for (int64_t o = begin; o < end; o++) {
        const float *const x =
            j->x + nest_offset(s->kept, s->kept_stride, s->n_kept, o);
        double acc = first_acc(st->kind), shift = 0;
        if (lse) shift = row_shift(st, x, outer);
        if (!isfinite(shift)) {
            j->y[o] = (float)shift;
            continue;
        }
        for (int64_t r = 0; r < outer; r++) {
            const float *const p =
                x + nest_offset(s->red, s->red_stride, last, r);
            acc = join_acc(st->kind, acc,
                           lse ? sum_exp(st->kernels, p, n, (float)shift)
                               : (double)row(p, (size_t)n));
            if (acc != acc) break;
        }
        j->y[o] = last_acc(st->kind, acc, s->red_len, shift);
    }
}

/* n columns of one row of the reduced groups. */
static void cols_acc(const reduce_state *st, const float *x, int64_t n,
                     double *acc, const double *shift)
{
    for (int64_t k = 0; k < n; k++) {
        const double v = (double)x[k];
        switch (st->kind) {
        case TNI_REDUCTION_L1:
            acc[k] = join_acc(st->kind, acc[k], fabs(v));
            break;
        case TNI_REDUCTION_L2:
        case TNI_REDUCTION_SUM_SQUARE: acc[k] += v * v; break;
        case TNI_REDUCTION_LOG_SUM_EXP:
            if (isfinite(shift[k])) acc[k] += exp(v - shift[k]);
            break;
        default:
            if (acc[k] == acc[k]) acc[k] = join_acc(st->kind, acc[k], v);
            break;
        }
    }
}

/* Several reduced groups, or exponentials: sums in double. */
static void cols_general(const reduce_state *st, const float *x, int64_t n,
                         float *y)
{
    const nest *const s = &st->s;
    double acc[COLS], shift[COLS];
    for (int64_t k = 0; k < n; k++) {
        acc[k] = first_acc(st->kind);
        shift[k] = 0;
    }
    if (st->kind == TNI_REDUCTION_LOG_SUM_EXP)
        for (int64_t r = 0; r < s->red_len; r++) {
            const float *const p =
                x + nest_offset(s->red, s->red_stride, s->n_red, r);
            for (int64_t k = 0; k < n; k++)
                shift[k] = r == 0 ? (double)p[k]
                                  : join_acc(TNI_REDUCTION_MAX, shift[k],
                                             (double)p[k]);
        }
    for (int64_t r = 0; r < s->red_len; r++)
        cols_acc(st, x + nest_offset(s->red, s->red_stride, s->n_red, r), n,
                 acc, shift);
    for (int64_t k = 0; k < n; k++)
        y[k] = isfinite(shift[k])
                   ? last_acc(st->kind, acc[k], s->red_len, shift[k])
                   : (float)shift[k];
}

/* Column blocks [begin, end), innermost group kept. */
static void cols_task(const reduce_job *j, int64_t begin, int64_t end)
{
    const reduce_state *const st = j->st;
    const nest *const s = &st->s;
    const tni_reduce_rows_fn rows =
        st->kernels->reduce.rows[kernel_op(st->kind)];
    for (int64_t b = begin; b < end; b++) {
        const int64_t row = b / st->blocks, at = b % st->blocks * COLS;
        const int64_t n = st->cols - at < COLS ? st->cols - at : COLS;
        const float *const x =
            j->x + at +
            nest_offset(s->kept, s->kept_stride, s->n_kept - 1, row);
        float *const y = j->y + row * st->cols + at;
        if (s->n_red > 1 || st->kind == TNI_REDUCTION_LOG_SUM_EXP) {
            cols_general(st, x, n, y);
            continue;
        }
        rows(x, y, (size_t)s->red_len, (size_t)n, (size_t)s->red_stride[0]);
        for (int64_t k = 0; k < n; k++)
            y[k] = last_acc(st->kind, (double)y[k], s->red_len, 0);
    }
}

static void reduce_task(void *ctx, size_t begin, size_t end, int worker)
{
    const reduce_job *const j = (const reduce_job *)ctx;
    const int64_t from = (int64_t)begin * j->st->per_task;
    const int64_t to = (int64_t)end * j->st->per_task;
    const int64_t stop = to < j->st->n_units ? to : j->st->n_units;
    (void)worker;
    if (j->st->row)
        rows_task(j, from, stop);
    else
        cols_task(j, from, stop);
}

static void reduce_run(const tni_run *c)
{
    const reduce_state *const st = (const reduce_state *)c->state;
    reduce_job j = {st, TNI_CDATA(float, c->in[0]), TNI_DATA(float, c->out[0])};
    tni_par_for(c->par, (size_t)st->n_tasks, reduce_task, &j);
}

tn_status tni_reduce_plan_over(tni_plan *c, tni_reduce_kind kind, uint32_t mask)
{
    const tni_type *const x = c->in[0];
    reduce_state *st;
    int64_t work;
    if (x->dtype != TN_F32 || c->kernels == NULL) return TN_OK;
    st = TNI_NEW(c->arena, reduce_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    nest_make(&st->s, x->dims, x->rank, mask);
    st->kind = kind;
    st->kernels = c->kernels;
    if (st->s.red_len <= 1 || st->s.out_len == 0) return TN_OK;
    st->row = st->s.red_stride[st->s.n_red - 1] == 1;
    if (st->row) {
        st->n_units = st->s.out_len;
        work = st->s.red_len;
    } else {
        st->cols = st->s.kept[st->s.n_kept - 1];
        st->blocks = (st->cols + COLS - 1) / COLS;
        st->n_units = st->s.out_len / st->cols * st->blocks;
        work = st->s.red_len * (st->cols < COLS ? st->cols : COLS);
    }
    /* About 16k elements a task. */
    st->per_task = work >= 16384 ? 1 : 16384 / work;
    st->n_tasks = (st->n_units + st->per_task - 1) / st->per_task;
    c->state = st;
    c->run = reduce_run;
    return TN_OK;
}

tn_status tni_reduce_plan(tni_plan *c, tni_reduce_kind kind)
{
    const tni_attr *const attr = tni_attr_find(c->node, "axes");
    int64_t axes[TN_MAX_RANK];
    uint32_t mask = 0;
    int n = 0;
    if (attr != NULL) {
        if (attr->n > TN_MAX_RANK) return TN_OK;
        for (; n < (int)attr->n; n++) axes[n] = attr->v.ints[n];
    } else if (c->n_in > 1 && c->in[1] != NULL) {
        if (c->in_const[1] == NULL) return TN_OK;
        TN_TRY(tni_tensor_ints(axes, &n, c->in_const[1], c->err));
    }
    TN_TRY(axes_mask(&mask, c->node, axes, n, c->in[0]->rank, c->err));
    return tni_reduce_plan_over(c, kind, mask);
}
