/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c - pooling: geometry, reference, and plans over rows
 *
 * A plan computes one output row at a time: first the input rows of the window
 * are joined, column by column, then the columns of that one row. Neither loop
 * has bounds checks inside. Planes (N*C) are spread over the workers.
 */
#include "ops/pool.h"

#include "base/checked.h"
#include "kernels/kernels.h"
#include "ops/nn.h"

#include <math.h>
#include <string.h>

/* --- geometry ----------------------------------------------------------- */

static tn_status read_ints(int64_t *out, const tni_node *node, const char *name,
                           int n, int64_t absent, int64_t least, tn_err *err)
{
    int len = 0;
    const int64_t *const v = tni_attr_ints(node, name, &len);
    if (v != NULL && len != 0 && len != n)
        return tni_fail(err, TN_EINVAL, "%s has %d values, expected %d", name,
                        len, n);
    for (int i = 0; i < n; i++) {
        out[i] = v != NULL && len != 0 ? v[i] : absent;
        if (out[i] < least || out[i] > INT32_MAX)
            return tni_fail(err, TN_EINVAL, "%s[%d] is %lld", name, i,
                            (long long)out[i]);
    }
    return TN_OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    const int64_t q = a / b;
    return a % b != 0 && a < 0 ? q - 1 : q;
}

static tn_status axis_extent(tni_pool *p, int i, const char *pad,
                             bool ceil_mode, tn_err *err)
{
    const int64_t span = (p->kernel[i] - 1) * p->dilation[i] + 1;
    const int64_t in = p->in[i], s = p->stride[i];
    if (strncmp(pad, "SAME_", 5) == 0) {
        int64_t total;
        if (!TNI_DIM_IS_KNOWN(in)) {
            p->out[i] = s == 1 ? in : TNI_DIM_UNKNOWN;
            return TN_OK;
        }
        p->out[i] = (in + s - 1) / s;
        total = (p->out[i] - 1) * s + span - in;
        if (total < 0) total = 0;
        p->before[i] =
            strcmp(pad, "SAME_LOWER") == 0 ? total - total / 2 : total / 2;
        p->after[i] = total - p->before[i];
        return TN_OK;
    }
    if (strcmp(pad, "VALID") == 0) p->before[i] = p->after[i] = 0;
    if (!TNI_DIM_IS_KNOWN(in)) {
        p->out[i] = p->before[i] + p->after[i] == span - 1 && s == 1
                        ? in
                        : TNI_DIM_UNKNOWN;
        return TN_OK;
    }
    if (in > INT64_MAX / 4)
        return tni_fail(err, TN_ELIMIT, "spatial extent %lld", (long long)in);
    const int64_t room = in + p->before[i] + p->after[i] - span;
    if (room < 0 && !(ceil_mode && room > -s))
        return tni_fail(err, TN_EINVAL,
                        "window of %lld on axis %d is larger than the padded "
                        "input of %lld",
                        (long long)span, i + 2, (long long)(room + span));
    p->out[i] = (ceil_mode ? -floor_div(-room, s) : floor_div(room, s)) + 1;
    if (ceil_mode && (p->out[i] - 1) * s >= in + p->before[i]) p->out[i]--;
    return TN_OK;
}

tn_status tni_pool_make(tni_pool *p, const tni_node *node, int rank,
                        const int64_t *dims, tn_err *err)
{
    const bool ceil_mode = tni_attr_int(node, "ceil_mode", 0) != 0;
    const tn_string mode = tni_attr_string(node, "auto_pad");
    const char *pad = "NOTSET";
    int64_t pads[2 * TNI_POOL_DIMS];
    static const char *const modes[] = {"NOTSET", "VALID", "SAME_UPPER",
                                        "SAME_LOWER"};
    if (rank < 3)
        return tni_fail(err, TN_EINVAL, "input of rank %d, expected 3 or more",
                        rank);
    *p = (tni_pool){.nd = rank - 2};
    if (mode.ptr != NULL && mode.len != 0) {
        pad = NULL;
        for (int i = 0; i < TNI_COUNT(modes); i++)
            if (strlen(modes[i]) == mode.len &&
                memcmp(modes[i], mode.ptr, mode.len) == 0)
                pad = modes[i];
        if (pad == NULL)
            return tni_fail(err, TN_EINVAL, "auto_pad '%.*s' is not known",
                            (int)(mode.len < 32 ? mode.len : 32), mode.ptr);
    }
    TN_TRY(read_ints(p->kernel, node, "kernel_shape", p->nd, -1, 1, err));
    TN_TRY(read_ints(p->stride, node, "strides", p->nd, 1, 1, err));
    TN_TRY(read_ints(p->dilation, node, "dilations", p->nd, 1, 1, err));
    TN_TRY(read_ints(pads, node, "pads", 2 * p->nd, 0, 0, err));
    p->planes = tni_dim_mul(dims[0], dims[1]);
    p->in_len = p->out_len = 1;
    for (int i = 0; i < p->nd; i++) {
        p->in[i] = dims[i + 2];
        p->before[i] = pads[i];
        p->after[i] = pads[p->nd + i];
        TN_TRY(axis_extent(p, i, pad, ceil_mode, err));
        p->in_len = tni_dim_mul(p->in_len, p->in[i]);
        p->out_len = tni_dim_mul(p->out_len, p->out[i]);
    }
    return TN_OK;
}

static tn_status infer_dims(tni_infer *c, int rank, const int64_t *dims)
{
    TN_TRY(tni_infer_dims(c, 0, c->in[0]->dtype, rank, dims));
    if (c->n_out > 1) TN_TRY(tni_infer_dims(c, 1, TN_I64, rank, dims));
    return TN_OK;
}

tn_status tni_pool_infer(tni_infer *c)
{
    tni_pool p;
    int64_t dims[TN_MAX_RANK];
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        tni_infer_unranked(c, 1, TN_I64);
        return TN_OK;
    }
    TN_TRY(tni_pool_make(&p, c->node, c->in[0]->rank, c->in[0]->dims, c->err));
    dims[0] = c->in[0]->dims[0];
    dims[1] = c->in[0]->dims[1];
    for (int i = 0; i < p.nd; i++) dims[i + 2] = p.out[i];
    return infer_dims(c, p.nd + 2, dims);
}

tn_status tni_pool_global_infer(tni_infer *c)
{
    int64_t dims[TN_MAX_RANK];
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    if (c->in[0]->rank < 2)
        return tni_fail(c->err, TN_EINVAL,
                        "input of rank %d, expected 2 or more", c->in[0]->rank);
    for (int i = 0; i < c->in[0]->rank; i++)
        dims[i] = i < 2 ? c->in[0]->dims[i] : 1;
    return tni_infer_dims(c, 0, c->in[0]->dtype, c->in[0]->rank, dims);
}

/* --- reference ---------------------------------------------------------- */

/* What one window gives: walks its valid taps in row-major order. */
typedef struct window {
    double value; /* maximum, sum, or sum of powers */
    int64_t at;   /* offset of the maximum in the plane, -1 none */
    int64_t pos[TNI_POOL_DIMS]; /* and its coordinates */
} window;

static double tap_power(double v, double p)
{
    const double a = fabs(v);
    if (p == 2.0) return a * a;
    return p == 1.0 ? a : pow(a, p);
}

static void window_walk(window *w, const tni_pool *p, tni_pool_kind kind,
                        double power, const double *x, const int64_t *o)
{
    int64_t first[TNI_POOL_DIMS], k0[TNI_POOL_DIMS], k1[TNI_POOL_DIMS];
    int64_t k[TNI_POOL_DIMS];
    *w = (window){.at = -1};
    for (int i = 0; i < p->nd; i++) {
        first[i] = tni_pool_taps(p, i, o[i], &k0[i], &k1[i]);
        if (k0[i] >= k1[i]) return;
        k[i] = k0[i];
    }
    for (;;) {
        int64_t at = 0;
        int i = p->nd - 1;
        for (int a = 0; a < p->nd; a++)
            at = at * p->in[a] + first[a] + k[a] * p->dilation[a];
        if (kind == TNI_POOL_MAX) {
            if (w->at < 0 || x[at] > w->value ||
                (x[at] != x[at] && w->value == w->value)) {
                w->value = x[at];
                w->at = at;
                for (int a = 0; a < p->nd; a++)
                    w->pos[a] = first[a] + k[a] * p->dilation[a];
            }
        } else if (kind == TNI_POOL_AVERAGE) {
            w->value += x[at];
        } else {
            w->value += tap_power(x[at], power);
        }
        for (; i >= 0; i--) {
            if (++k[i] < k1[i]) break;
            k[i] = k0[i];
        }
        if (i < 0) return;
    }
}

/* Elements an average divides by along one axis: taps inside the input, or
 * inside input and padding, but not beyond it (ceil_mode). */
static int64_t taps_counted(const tni_pool *p, int axis, int64_t o,
                            bool include_pad)
{
    const int64_t d = p->dilation[axis];
    int64_t k0 = 0, k1 = 0;
    const int64_t first = tni_pool_taps(p, axis, o, &k0, &k1);
    if (!include_pad) return k1 - k0;
    const int64_t end = p->in[axis] + p->after[axis];
    if (first + (p->kernel[axis] - 1) * d < end) return p->kernel[axis];
    return first >= end ? 0 : (end - 1 - first) / d + 1;
}

static int64_t flat_index(const tni_pool *p, const window *w, int64_t plane,
                          bool column_major)
{
    int64_t at = 0;
    if (w->at < 0) return plane * p->in_len;
    if (!column_major) return plane * p->in_len + w->at;
    for (int i = p->nd - 1; i >= 0; i--) at = at * p->in[i] + w->pos[i];
    return plane * p->in_len + at;
}

static double lp_power(const tni_node *node)
{
    const tni_attr *const a = tni_attr_find(node, "p");
    if (a == NULL) return 2;
    return a->kind == TNI_ATTR_FLOAT ? (double)a->v.f : (double)a->v.i;
}

tn_status tni_pool_ref(tni_ref *c, tni_pool_kind kind)
{
    const tni_tensor *const t = c->in[0];
    const bool include_pad = tni_attr_int(c->node, "count_include_pad", 0) != 0;
    const bool column = tni_attr_int(c->node, "storage_order", 0) != 0;
    const double power = kind == TNI_POOL_LP ? lp_power(c->node) : 0;
    int64_t dims[TN_MAX_RANK], o[TNI_POOL_DIMS];
    int64_t *index = NULL;
    const double *x = NULL;
    double *y = NULL;
    tni_pool p;
    TN_TRY(tni_pool_make(&p, c->node, t->rank, t->dims, c->err));
    dims[0] = t->dims[0];
    dims[1] = t->dims[1];
    for (int i = 0; i < p.nd; i++) dims[i + 2] = p.out[i];
    TN_TRY(tni_ref_output(c, 0, t->dtype, t->rank, dims));
    TN_TRY(tni_ref_output(c, 1, TN_I64, t->rank, dims));
    if (tni_ref_wants(c, 1)) index = TNI_DATA(int64_t, c->out[1]);
    TN_TRY(tni_nn_load(c, t, &x));
    y = tni_nn_doubles(c, p.planes * p.out_len);
    if (y == NULL) return tni_ref_nomem(c);
    for (int64_t u = 0; u < p.planes * p.out_len; u++) {
        const int64_t plane = u / p.out_len;
        int64_t rest = u % p.out_len, count = 1;
        window w;
        for (int i = p.nd - 1; i >= 0; i--) {
            o[i] = rest % p.out[i];
            rest /= p.out[i];
        }
        window_walk(&w, &p, kind, power, x + plane * p.in_len, o);
        if (kind == TNI_POOL_MAX) {
            y[u] = w.at < 0 ? -(double)INFINITY : w.value;
            if (index != NULL) index[u] = flat_index(&p, &w, plane, column);
        } else if (kind == TNI_POOL_AVERAGE) {
            for (int i = 0; i < p.nd; i++)
                count *= taps_counted(&p, i, o[i], include_pad);
            y[u] = count == 0 ? 0 : w.value / (double)count;
        } else {
            y[u] = power == 2.0   ? sqrt(w.value)
                   : power == 1.0 ? w.value
                                  : pow(w.value, 1.0 / power);
        }
    }
    if (tni_ref_wants(c, 0))
        tni_from_f64(c->out[0]->data, t->dtype, y, c->out[0]->len);
    return TN_OK;
}

/* --- plans -------------------------------------------------------------- */

typedef struct pool_state {
    tni_pool p;          /* exactly three axes, leading ones of extent 1 */
    const float *counts; /* average: elements per window, axis by axis */
    tni_reduce_rows_fn rows;
    int64_t lo, hi; /* output columns whose window is inside the row */
    int64_t per_task, n_tasks;
    size_t row_bytes; /* scratch of a worker: one combined row */
} pool_state;

typedef struct pool_job {
    const pool_state *st;
    const void *x;
    void *y;
    char *scratch;
    void (*plane)(const pool_state *st, const void *x, void *y, void *row);
    size_t size; /* of an element */
} pool_job;

static inline float max_f32(float a, float b)
{
    return b > a || b != b ? b : a;
}

static inline uint8_t max_u8(uint8_t a, uint8_t b)
{
    return b > a ? b : a;
}

static inline int8_t max_s8(int8_t a, int8_t b)
{
    return b > a ? b : a;
}

static inline float add_f32(float a, float b)
{
    return a + b;
}

/*
 * Joins the columns of a combined row into output columns. Inside [lo, hi)
 * every tap exists; the common kernels and strides are constants there, so
 * that the loops vectorise.
 */
#define JOIN2(OP, S)                                                           \
    for (int64_t o = 0; o < n; o++) to[o] = OP(t[o * (S)], t[o * (S) + d])
#define JOIN3(OP, S)                                                           \
    for (int64_t o = 0; o < n; o++)                                            \
    to[o] = OP(OP(t[o * (S)], t[o * (S) + d]), t[o * (S) + 2 * d])

#define DEFINE_ACROSS(T, OP, FIRST)                                            \
    static void across_##OP(const pool_state *st, const T *row, T *y)          \
    {                                                                          \
        const tni_pool *const p = &st->p;                                      \
        const int64_t s = p->stride[2], d = p->dilation[2], k = p->kernel[2];  \
        const int64_t n = st->hi - st->lo;                                     \
        T *const to = y + st->lo;                                              \
        for (int64_t o = 0; o < p->out[2]; o++) {                              \
            int64_t k0 = 0, k1 = 0;                                            \
            if (o == st->lo && n > 0) o = st->hi;                              \
            if (o == p->out[2]) break;                                         \
            const int64_t first = tni_pool_taps(p, 2, o, &k0, &k1);            \
            T acc = (FIRST);                                                   \
            for (; k0 < k1; k0++) acc = OP(acc, row[first + k0 * d]);          \
            y[o] = acc;                                                        \
        }                                                                      \
        if (n <= 0) return;                                                    \
        const T *const t = row + (st->lo * s - p->before[2]);                  \
        if (k == 3 && s == 2 && d == 1)                                        \
            JOIN3(OP, 2);                                                      \
        else if (k == 3 && s == 1)                                             \
            JOIN3(OP, 1);                                                      \
        else if (k == 3)                                                       \
            JOIN3(OP, s);                                                      \
        else if (k == 2 && s == 2)                                             \
            JOIN2(OP, 2);                                                      \
        else if (k == 2)                                                       \
            JOIN2(OP, s);                                                      \
        else                                                                   \
            for (int64_t o = 0; o < n; o++) {                                  \
                T acc = t[o * s];                                              \
                for (int64_t i = 1; i < k; i++)                                \
                    acc = OP(acc, t[o * s + i * d]);                           \
                to[o] = acc;                                                   \
            }                                                                  \
    }

DEFINE_ACROSS(float, max_f32, -INFINITY)
DEFINE_ACROSS(float, add_f32, 0)
DEFINE_ACROSS(uint8_t, max_u8, 0)
DEFINE_ACROSS(int8_t, max_s8, INT8_MIN)

/* Joins the input rows of one output row; gives the row to go across. */
static const float *down_f32(const pool_state *st, const float *x, int64_t od,
                             int64_t oh, float first, bool add, float *row)
{
    const tni_pool *const p = &st->p;
    int64_t d0 = 0, d1 = 0, h0 = 0, h1 = 0;
    const int64_t fd = tni_pool_taps(p, 0, od, &d0, &d1);
    const int64_t fh = tni_pool_taps(p, 1, oh, &h0, &h1);
    const int64_t w = p->in[2];
    const float *at;
    if (d0 == d1 || h0 == h1) {
        for (int64_t i = 0; i < w; i++) row[i] = first;
        return row;
    }
    at = x +
         ((fd + d0 * p->dilation[0]) * p->in[1] + fh + h0 * p->dilation[1]) * w;
    if (d1 - d0 == 1) {
        if (h1 - h0 == 1) return at;
        st->rows(at, row, (size_t)(h1 - h0), (size_t)w,
                 (size_t)(p->dilation[1] * w));
        return row;
    }
    for (int64_t i = 0; i < w; i++) row[i] = first;
    for (int64_t d = 0; d < d1 - d0; d++)
        for (int64_t h = 0; h < h1 - h0; h++) {
            const float *const q =
                at + (d * p->dilation[0] * p->in[1] + h * p->dilation[1]) * w;
            if (add)
                for (int64_t i = 0; i < w; i++) row[i] += q[i];
            else
                for (int64_t i = 0; i < w; i++) row[i] = max_f32(row[i], q[i]);
        }
    return row;
}

#define DEFINE_DOWN(T, OP, FIRST)                                              \
    static const T *down_##OP(const tni_pool *p, const T *x, int64_t od,       \
                              int64_t oh, T *row)                              \
    {                                                                          \
        int64_t d0 = 0, d1 = 0, h0 = 0, h1 = 0;                                \
        const int64_t fd = tni_pool_taps(p, 0, od, &d0, &d1);                  \
        const int64_t fh = tni_pool_taps(p, 1, oh, &h0, &h1);                  \
        for (int64_t i = 0; i < p->in[2]; i++) row[i] = (FIRST);               \
        for (int64_t d = d0; d < d1; d++)                                      \
            for (int64_t h = h0; h < h1; h++) {                                \
                const T *const q = x + ((fd + d * p->dilation[0]) * p->in[1] + \
                                        fh + h * p->dilation[1]) *             \
                                           p->in[2];                           \
                for (int64_t i = 0; i < p->in[2]; i++)                         \
                    row[i] = OP(row[i], q[i]);                                 \
            }                                                                  \
        return row;                                                            \
    }

DEFINE_DOWN(uint8_t, max_u8, 0)
DEFINE_DOWN(int8_t, max_s8, INT8_MIN)

#define EACH_ROW(CALL)                                                         \
    do {                                                                       \
        const tni_pool *const p = &st->p;                                      \
        for (int64_t od = 0; od < p->out[0]; od++)                             \
            for (int64_t oh = 0; oh < p->out[1]; oh++) {                       \
                const int64_t to = (od * p->out[1] + oh) * p->out[2];          \
                CALL;                                                          \
            }                                                                  \
    } while (0)

static void plane_max_f32(const pool_state *st, const void *x, void *y,
                          void *row)
{
    EACH_ROW(across_max_f32(st, down_f32(st, x, od, oh, -INFINITY, false, row),
                            (float *)y + to));
}

static void plane_max_u8(const pool_state *st, const void *x, void *y,
                         void *row)
{
    EACH_ROW(
        across_max_u8(st, down_max_u8(p, x, od, oh, row), (uint8_t *)y + to));
}

static void plane_max_s8(const pool_state *st, const void *x, void *y,
                         void *row)
{
    EACH_ROW(
        across_max_s8(st, down_max_s8(p, x, od, oh, row), (int8_t *)y + to));
}

static void average_row(const pool_state *st, int64_t od, int64_t oh, float *y)
{
    const float *const cd = st->counts, *const ch = cd + st->p.out[0];
    const float *const cw = ch + st->p.out[1];
    const float n = cd[od] * ch[oh];
    for (int64_t o = 0; o < st->p.out[2]; o++) {
        const float count = n * cw[o];
        y[o] = count > 0 ? y[o] / count : 0;
    }
}

static void plane_average(const pool_state *st, const void *x, void *y,
                          void *row)
{
    EACH_ROW(across_add_f32(st, down_f32(st, x, od, oh, 0, true, row),
                            (float *)y + to);
             average_row(st, od, oh, (float *)y + to));
}

static void pool_task(void *ctx, size_t begin, size_t end, int worker)
{
    const pool_job *const j = (const pool_job *)ctx;
    const pool_state *const st = j->st;
    const int64_t from = (int64_t)begin * st->per_task;
    const int64_t to = (int64_t)end * st->per_task;
    const int64_t stop = to < st->p.planes ? to : st->p.planes;
    for (int64_t i = from; i < stop; i++)
        j->plane(st, (const char *)j->x + (size_t)(i * st->p.in_len) * j->size,
                 (char *)j->y + (size_t)(i * st->p.out_len) * j->size,
                 j->scratch + (size_t)worker * st->row_bytes);
}

static void pool_go(const tni_run *c,
                    void (*plane)(const pool_state *st, const void *x, void *y,
                                  void *row),
                    size_t size)
{
    const pool_state *const st = (const pool_state *)c->state;
    pool_job j = {
        st, c->in[0]->data, c->out[0]->data, (char *)c->scratch, plane, size};
    tni_par_for(c->par, (size_t)st->n_tasks, pool_task, &j);
}

static void run_max_f32(const tni_run *c)
{
    pool_go(c, plane_max_f32, sizeof(float));
}

static void run_max_u8(const tni_run *c)
{
    pool_go(c, plane_max_u8, 1);
}

static void run_max_s8(const tni_run *c)
{
    pool_go(c, plane_max_s8, 1);
}

static void run_average(const tni_run *c)
{
    pool_go(c, plane_average, sizeof(float));
}

/* Pads the geometry with leading axes of extent 1, up to three. */
static void to_three(tni_pool *p)
{
    const int add = 3 - p->nd;
    for (int i = 2; i >= 0; i--) {
        const int from = i - add;
        p->in[i] = from < 0 ? 1 : p->in[from];
        p->out[i] = from < 0 ? 1 : p->out[from];
        p->kernel[i] = from < 0 ? 1 : p->kernel[from];
        p->stride[i] = from < 0 ? 1 : p->stride[from];
        p->dilation[i] = from < 0 ? 1 : p->dilation[from];
        p->before[i] = from < 0 ? 0 : p->before[from];
        p->after[i] = from < 0 ? 0 : p->after[from];
    }
    p->nd = 3;
}

tn_status tni_pool_plan(tni_plan *c, tni_pool_kind kind)
{
    const tni_type *const t = c->in[0];
    const bool include_pad = tni_attr_int(c->node, "count_include_pad", 0) != 0;
    pool_state *st;
    int64_t work;
    if (kind == TNI_POOL_LP || t->rank > 5 || c->kernels == NULL ||
        (t->dtype != TN_F32 &&
         (kind != TNI_POOL_MAX || (t->dtype != TN_U8 && t->dtype != TN_I8))) ||
        c->out[0] == NULL || (c->n_out > 1 && c->out[1] != NULL))
        return TN_OK;
    st = TNI_NEW(c->arena, pool_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_pool_make(&st->p, c->node, t->rank, t->dims, c->err));
    to_three(&st->p);
    const tni_pool *const p = &st->p;
    /* The first and the last window without a tap in the padding. */
    st->lo = (p->before[2] + p->stride[2] - 1) / p->stride[2];
    st->hi = p->in[2] - 1 + p->before[2] - (p->kernel[2] - 1) * p->dilation[2];
    st->hi = st->hi < 0 ? 0 : st->hi / p->stride[2] + 1;
    if (st->hi > p->out[2]) st->hi = p->out[2];
    st->rows =
        c->kernels->reduce
            .rows[kind == TNI_POOL_MAX ? TNI_REDUCE_MAX : TNI_REDUCE_SUM];
    if (!tni_mul_size((size_t)p->in[2], sizeof(float), &st->row_bytes) ||
        !tni_align_up(st->row_bytes, TNI_ALIGN, &st->row_bytes) ||
        !tni_mul_size(st->row_bytes, (size_t)c->n_workers, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    if (kind == TNI_POOL_AVERAGE) {
        const int64_t n = st->p.out[0] + st->p.out[1] + st->p.out[2];
        float *const counts = TNI_NEW_ARRAY(c->arena, float, n);
        float *at = counts;
        if (counts == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        for (int i = 0; i < 3; i++)
            for (int64_t o = 0; o < st->p.out[i]; o++)
                *at++ = (float)taps_counted(&st->p, i, o, include_pad);
        st->counts = counts;
        c->run = run_average;
    } else if (t->dtype == TN_F32) {
        c->run = run_max_f32;
    } else {
        c->run = t->dtype == TN_U8 ? run_max_u8 : run_max_s8;
    }
    work = st->p.out_len * st->p.kernel[0] * st->p.kernel[1] * st->p.kernel[2];
    st->per_task = work >= 16384 || work <= 0 ? 1 : 16384 / work;
    st->n_tasks = (st->p.planes + st->per_task - 1) / st->per_task;
    c->state = st;
    return TN_OK;
}
