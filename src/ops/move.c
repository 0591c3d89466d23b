/* SPDX-License-Identifier: Apache-2.0 */
/*
 * move.c - strided and mapped copies
 *
 * tni_copy_init drops extents of one, merges neighbours that are contiguous on
 * both sides, widens elements while the last dimension stays whole, and looks
 * for a transposition. What remains is a plane of two dimensions under an
 * odometer; planes are cut into blocks of about GRAIN bytes, the unit of
 * parallel work.
 */
#include "ops/move.h"

#include "base/checked.h"
#include "kernels/kernels.h"

#include <string.h>

enum { GRAIN = 128 * 1024, TILE = 16 };

void tni_strides(int64_t *strides, int rank, const int64_t *dims)
{
    int64_t s = 1;
    for (int d = rank - 1; d >= 0; d--) {
        strides[d] = s;
        /* Wraps only where an extent of zero leaves nothing to address. */
        s = (int64_t)((uint64_t)s * (uint64_t)dims[d]);
    }
}

int64_t tni_dims_product(int n, const int64_t *dims)
{
    int64_t known = 1, other = 0;
    for (int i = 0; i < n; i++) {
        if (dims[i] == 0) return 0;
        if (dims[i] < 0) {
            if (other != 0) return TNI_DIM_UNKNOWN;
            other = dims[i];
        } else if (!tni_mul_i64(known, dims[i], &known)) {
            return TNI_DIM_UNKNOWN;
        }
    }
    if (other == 0) return known;
    return known == 1 ? other : TNI_DIM_UNKNOWN;
}

tn_status tni_extent_mul(int64_t *out, int64_t a, int64_t b, tn_err *err)
{
    if (a < 0 || b < 0 || !tni_mul_i64(a, b, out))
        return tni_fail(err, TN_ELIMIT, "extent %lld * %lld overflows",
                        (long long)a, (long long)b);
    return TN_OK;
}

/* --- strided copy ------------------------------------------------------ */

static void swap_dims(tni_copy *p, int a, int b)
{
    int64_t *const arrays[] = {p->dims, p->to, p->from};
    for (int k = 0; k < 3; k++) {
        const int64_t t = arrays[k][a];
        arrays[k][a] = arrays[k][b];
        arrays[k][b] = t;
    }
}

static void merge_dims(tni_copy *p, int rank, const int64_t *dims,
                       const int64_t *to, const int64_t *from)
{
    const int64_t elem = (int64_t)p->elem;
    int n = 0;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == 1) continue;
        const int64_t t = to[d] * elem, f = from[d] * elem;
        if (n > 0 && p->to[n - 1] == t * dims[d] &&
            p->from[n - 1] == f * dims[d]) {
            p->dims[n - 1] *= dims[d];
            p->to[n - 1] = t;
            p->from[n - 1] = f;
        } else {
            p->dims[n] = dims[d];
            p->to[n] = t;
            p->from[n] = f;
            n++;
        }
    }
    p->rank = n;
}

/* Pairs of small elements that always travel together become one. */
static void widen(tni_copy *p)
{
    const int last = p->rank - 1;
    while (last > 0 && p->elem < 16 && p->to[last] == (int64_t)p->elem &&
           p->from[last] == (int64_t)p->elem && p->dims[last] % 2 == 0 &&
           p->dims[last] <= 16) {
        p->elem *= 2;
        p->dims[last] /= 2;
        p->to[last] *= 2;
        p->from[last] *= 2;
    }
    if (last > 0 && p->dims[last] == 1) p->rank--;
}

static void choose_kind(tni_copy *p)
{
    const int last = p->rank - 1;
    const int64_t elem = (int64_t)p->elem;
    if (p->to[last] == elem && p->from[last] == elem) {
        p->kind = TNI_COPY_ROWS;
        return;
    }
    if (p->to[last] == elem && p->from[last] == 0) {
        p->kind = TNI_COPY_FILL;
        return;
    }
    p->kind = TNI_COPY_STRIDED;
    if (p->to[last] != elem) return;
    for (int d = last - 1; d >= 0; d--) {
        if (p->from[d] != elem || p->dims[d] < 4) continue;
        for (int k = d; k < last - 1; k++) swap_dims(p, k, k + 1);
        p->kind = TNI_COPY_TRANSPOSE;
        return;
    }
}

static int64_t blocks(int64_t n, int64_t block)
{
    return n / block + (n % block != 0 ? 1 : 0);
}

void tni_copy_init(tni_copy *p, size_t elem, int rank, const int64_t *dims,
                   const int64_t *to, const int64_t *from)
{
    memset(p, 0, sizeof *p);
    p->elem = elem;
    for (int d = 0; d < rank; d++)
        if (dims[d] == 0) return;
    p->len = 1;
    for (int d = 0; d < rank; d++) p->len *= dims[d];
    merge_dims(p, rank, dims, to, from);
    widen(p);
    if (p->rank == 0) {
        p->rank = 1;
        p->dims[0] = 1;
        p->to[0] = p->from[0] = (int64_t)p->elem;
    }
    if (p->rank == 1) { /* a plane of one row */
        p->dims[1] = p->dims[0];
        p->to[1] = p->to[0];
        p->from[1] = p->from[0];
        p->dims[0] = 1;
        p->to[0] = p->from[0] = 0;
        p->rank = 2;
    }
    choose_kind(p);
    const int64_t rows = p->dims[p->rank - 2], cols = p->dims[p->rank - 1];
    const int64_t room = GRAIN / (int64_t)p->elem;
    int64_t bj = cols, bi = rows;
    if (p->kind == TNI_COPY_TRANSPOSE) {
        if (bj > 256) bj = 256;
    } else if (bj > room) {
        bj = room;
    }
    if (bi > room / bj) bi = room / bj;
    if (bi < 1) bi = 1;
    if (p->kind == TNI_COPY_TRANSPOSE && bi < rows && bi >= TILE)
        bi -= bi % TILE;
    p->block[0] = bi;
    p->block[1] = bj;
    int64_t outer = 1;
    for (int d = 0; d < p->rank - 2; d++) outer *= p->dims[d];
    p->n_units = outer * blocks(rows, bi) * blocks(cols, bj);
    p->units_per_task = room / (bi * bj);
    if (p->units_per_task < 1) p->units_per_task = 1;
}

void tni_copy_tune(tni_copy *p, const tni_kernels *kernels)
{
    if (kernels == NULL || p->len == 0 || p->kind != TNI_COPY_TRANSPOSE)
        return;
    const int64_t elem = (int64_t)p->elem;
    const int64_t row = p->to[p->rank - 2], col = p->from[p->rank - 1];
    /* Kernels step by whole elements, and their rows do not overlap. */
    if (row % elem != 0 || col % elem != 0 || row / elem < p->block[1] ||
        col / elem < p->block[0])
        return;
    const tni_transpose_kernels *k = &kernels->transpose;
    switch (elem) {
    case 1: p->turn = k->b1; break;
    case 2: p->turn = k->b2; break;
    case 4: p->turn = k->b4; break;
    case 8: p->turn = k->b8; break;
    default: break;
    }
}

typedef struct plane {
    char *to;
    const char *from;
    int64_t rows, cols;
    int64_t to_row, to_col, from_row, from_col; /* bytes */
} plane;

/* memcpy of a constant size is one move and knows no alignment or type. */
#define DEFINE_PLANES(N)                                                       \
    static void strided_##N(const plane *s)                                    \
    {                                                                          \
        for (int64_t i = 0; i < s->rows; i++) {                                \
            char *to = s->to + i * s->to_row;                                  \
            const char *from = s->from + i * s->from_row;                      \
            for (int64_t j = 0; j < s->cols; j++)                              \
                memcpy(to + j * s->to_col, from + j * s->from_col, N);         \
        }                                                                      \
    }                                                                          \
    static void gather_##N(const plane *s)                                     \
    {                                                                          \
        for (int64_t i = 0; i < s->rows; i++) {                                \
            char *to = s->to + i * s->to_row;                                  \
            const char *from = s->from + i * s->from_row;                      \
            for (int64_t j = 0; j < s->cols; j++)                              \
                memcpy(to + j * N, from + j * s->from_col, N);                 \
        }                                                                      \
    }                                                                          \
    static void fill_##N(const plane *s)                                       \
    {                                                                          \
        for (int64_t i = 0; i < s->rows; i++) {                                \
            char *to = s->to + i * s->to_row;                                  \
            char value[N];                                                     \
            memcpy(value, s->from + i * s->from_row, N);                       \
            for (int64_t j = 0; j < s->cols; j++) memcpy(to + j * N, value, N);\
        }                                                                      \
    }                                                                          \
    static void tile_##N(char *to, int64_t to_row, const char *from,           \
                         int64_t from_col, int64_t rows, int64_t cols)         \
    {                                                                          \
        for (int64_t i = 0; i < rows; i++)                                     \
            for (int64_t j = 0; j < cols; j++)                                 \
                memcpy(to + i * to_row + j * N, from + i * N + j * from_col,   \
                       N);                                                     \
    }                                                                          \
    static void transpose_##N(const plane *s)                                  \
    {                                                                          \
        for (int64_t i = 0; i < s->rows; i += TILE)                            \
            for (int64_t j = 0; j < s->cols; j += TILE) {                      \
                char *to = s->to + i * s->to_row + j * N;                      \
                const char *from = s->from + i * N + j * s->from_col;          \
                const int64_t r = s->rows - i, c = s->cols - j;                \
                if (r >= TILE && c >= TILE)                                    \
                    tile_##N(to, s->to_row, from, s->from_col, TILE, TILE);    \
                else                                                           \
                    tile_##N(to, s->to_row, from, s->from_col,                 \
                             r < TILE ? r : TILE, c < TILE ? c : TILE);        \
            }                                                                  \
    }

DEFINE_PLANES(1)
DEFINE_PLANES(2)
DEFINE_PLANES(4)
DEFINE_PLANES(8)
DEFINE_PLANES(16)

typedef void (*plane_fn)(const plane *s);

static plane_fn choose_plane(const tni_copy *p)
{
    static const plane_fn strided[] = {strided_1, strided_2, strided_4,
                                       strided_8, strided_16};
    static const plane_fn gather[] = {gather_1, gather_2, gather_4, gather_8,
                                      gather_16};
    static const plane_fn fill[] = {fill_1, fill_2, fill_4, fill_8, fill_16};
    static const plane_fn transpose[] = {transpose_1, transpose_2, transpose_4,
                                         transpose_8, transpose_16};
    int k = 0;
    while (k < 4 && ((size_t)1 << k) < p->elem) k++;
    if (p->kind == TNI_COPY_FILL) return fill[k];
    if (p->kind == TNI_COPY_TRANSPOSE) return transpose[k];
    return p->to[p->rank - 1] == (int64_t)p->elem ? gather[k] : strided[k];
}

static void copy_rows(const plane *s, size_t elem)
{
    const size_t size = (size_t)s->cols * elem;
    for (int64_t i = 0; i < s->rows; i++)
        memcpy(s->to + i * s->to_row, s->from + i * s->from_row, size);
}

typedef struct copy_job {
    const tni_copy *p;
    char *to;
    const char *from;
    plane_fn fn;
} copy_job;

static void copy_unit(const copy_job *job, int64_t unit)
{
    const tni_copy *p = job->p;
    const int r = p->rank;
    const int64_t nj = blocks(p->dims[r - 1], p->block[1]);
    const int64_t ni = blocks(p->dims[r - 2], p->block[0]);
    const int64_t j = unit % nj * p->block[1];
    unit /= nj;
    const int64_t i = unit % ni * p->block[0];
    unit /= ni;
    int64_t to = i * p->to[r - 2] + j * p->to[r - 1];
    int64_t from = i * p->from[r - 2] + j * p->from[r - 1];
    for (int d = r - 3; d >= 0; d--) {
        const int64_t k = unit % p->dims[d];
        unit /= p->dims[d];
        to += k * p->to[d];
        from += k * p->from[d];
    }
    plane s = {.to = job->to + to,
               .from = job->from + from,
               .rows = p->dims[r - 2] - i,
               .cols = p->dims[r - 1] - j,
               .to_row = p->to[r - 2],
               .to_col = p->to[r - 1],
               .from_row = p->from[r - 2],
               .from_col = p->from[r - 1]};
    if (s.rows > p->block[0]) s.rows = p->block[0];
    if (s.cols > p->block[1]) s.cols = p->block[1];
    if (p->kind == TNI_COPY_ROWS)
        copy_rows(&s, p->elem);
    else if (p->turn != NULL)
        p->turn(s.from, (size_t)s.from_col / p->elem, s.to,
                (size_t)s.to_row / p->elem, (size_t)s.cols, (size_t)s.rows);
    else
        job->fn(&s);
}

static void copy_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const copy_job *job = ctx;
    const tni_copy *p = job->p;
    int64_t last = (int64_t)end * p->units_per_task;
    if (last > p->n_units) last = p->n_units;
    for (int64_t u = (int64_t)begin * p->units_per_task; u < last; u++)
        copy_unit(job, u);
}

void tni_copy_run(const tni_copy *p, void *to, const void *from,
                  const tni_par *par)
{
    if (p->len == 0) return;
    copy_job job = {p, to, from, choose_plane(p)};
    tni_par_for(par, (size_t)blocks(p->n_units, p->units_per_task), copy_tasks,
                &job);
}

/* --- mapped copy ------------------------------------------------------- */

static bool is_identity(const int64_t *at, int64_t n, int64_t from_n,
                        int64_t stride)
{
    if (n != from_n) return false;
    for (int64_t i = 0; i < n; i++)
        if (at[i] != i * stride) return false;
    return true;
}

void tni_map_init(tni_map *m, size_t elem, int rank, const int64_t *dims,
                  const int64_t *from_dims, const int64_t *const *at)
{
    memset(m, 0, sizeof *m);
    m->elem = elem;
    for (int d = 0; d < rank; d++)
        if (dims[d] == 0) return;
    m->run = 1;
    while (rank > 0 && is_identity(at[rank - 1], dims[rank - 1],
                                   from_dims[rank - 1], m->run)) {
        m->run *= dims[rank - 1];
        rank--;
    }
    m->rank = rank;
    m->len = 1;
    for (int d = 0; d < rank; d++) {
        m->dims[d] = dims[d];
        m->at[d] = at[d];
        m->len *= dims[d];
    }
}

void tni_fill(void *to, const void *value, size_t elem, int64_t n)
{
    char *p = to;
    switch (elem) {
    case 1: memset(p, *(const unsigned char *)value, (size_t)n); break;
    case 2:
        for (int64_t i = 0; i < n; i++) memcpy(p + i * 2, value, 2);
        break;
    case 4:
        for (int64_t i = 0; i < n; i++) memcpy(p + i * 4, value, 4);
        break;
    case 8:
        for (int64_t i = 0; i < n; i++) memcpy(p + i * 8, value, 8);
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            memcpy(p + i * (int64_t)elem, value, elem);
        break;
    }
}

typedef struct map_job {
    const tni_map *m;
    char *to;
    const char *from;
    const void *fill;
    int64_t row_len; /* extent of the last mapped dimension */
    int64_t rows_per_task, n_rows;
} map_job;

#define DEFINE_MAP_ROW(N)                                                      \
    static void map_row_##N(char *to, const char *from, const void *fill,      \
                            const int64_t *at, int64_t n)                      \
    {                                                                          \
        for (int64_t i = 0; i < n; i++)                                        \
            memcpy(to + i * N,                                                 \
                   at[i] >= 0 ? from + at[i] * N : (const char *)fill, N);     \
    }
DEFINE_MAP_ROW(1)
DEFINE_MAP_ROW(2)
DEFINE_MAP_ROW(4)
DEFINE_MAP_ROW(8)
DEFINE_MAP_ROW(16)

static void map_row(const map_job *job, char *to, int64_t base)
{
    const tni_map *m = job->m;
    const int64_t elem = (int64_t)m->elem, run = m->run;
    const int64_t *at = m->at[m->rank - 1];
    if (base < 0) {
        tni_fill(to, job->fill, m->elem, job->row_len * run);
        return;
    }
    const char *from = job->from + base * elem;
    if (run == 1) {
        switch (elem) {
        case 1: map_row_1(to, from, job->fill, at, job->row_len); return;
        case 2: map_row_2(to, from, job->fill, at, job->row_len); return;
        case 4: map_row_4(to, from, job->fill, at, job->row_len); return;
        case 8: map_row_8(to, from, job->fill, at, job->row_len); return;
        default: map_row_16(to, from, job->fill, at, job->row_len); return;
        }
    }
    for (int64_t i = 0; i < job->row_len; i++) {
        char *out = to + i * run * elem;
        if (at[i] < 0)
            tni_fill(out, job->fill, m->elem, run);
        else
            memcpy(out, from + at[i] * elem, (size_t)(run * elem));
    }
}

static void map_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const map_job *job = ctx;
    const tni_map *m = job->m;
    int64_t last = (int64_t)end * job->rows_per_task;
    if (last > job->n_rows) last = job->n_rows;
    const int64_t bytes = job->row_len * m->run * (int64_t)m->elem;
    for (int64_t row = (int64_t)begin * job->rows_per_task; row < last; row++) {
        int64_t rest = row, base = 0;
        for (int d = m->rank - 2; d >= 0; d--) {
            const int64_t at = m->at[d][rest % m->dims[d]];
            rest /= m->dims[d];
            if (at < 0) base = -1;
            if (base >= 0) base += at;
        }
        map_row(job, job->to + row * bytes, base);
    }
}

void tni_map_run(const tni_map *m, void *to, const void *from,
                 const void *fill, const tni_par *par)
{
    if (m->len == 0 || m->run == 0) return;
    if (m->rank == 0) {
        memcpy(to, from, (size_t)m->run * m->elem);
        return;
    }
    map_job job = {.m = m, .to = to, .from = from, .fill = fill};
    job.row_len = m->dims[m->rank - 1];
    job.n_rows = m->len / job.row_len;
    const int64_t bytes = job.row_len * m->run * (int64_t)m->elem;
    job.rows_per_task = bytes < GRAIN ? GRAIN / bytes : 1;
    tni_par_for(par, (size_t)blocks(job.n_rows, job.rows_per_task), map_tasks,
                &job);
}

/* --- small things operators share -------------------------------------- */

void tni_move(tni_tensor *to, const tni_tensor *from)
{
    if (to->data == from->data || from->len == 0) return;
    memcpy(to->data, from->data, (size_t)from->len * tn_dtype_size(from->dtype));
}

tn_status tni_ref_reshaped(tni_ref *c, int rank, const int64_t *dims)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(tni_ref_output(c, 0, x->dtype, rank, dims));
    if (tni_ref_wants(c, 0)) tni_move(c->out[0], x);
    return TN_OK;
}

char *tni_shape_text(char *buf, size_t size, const tni_tensor *t)
{
    return tni_shape_format(buf, size, t->dtype, t->rank, t->dims);
}

tn_status tni_scalar_i64(int64_t *out, const tni_tensor *t, const char *what,
                         tn_err *err)
{
    if (t->kind != TN_KIND_TENSOR || t->len != 1 || t->dtype == TN_STRING) {
        char text[120];
        return tni_fail(err, TN_EINVAL, "%s is %s, expected one number", what,
                        tni_shape_text(text, sizeof text, t));
    }
    *out = tni_get_i64(t, 0);
    return TN_OK;
}

tn_status tni_index(int64_t *out, int64_t i, int64_t n, tn_err *err)
{
    if (i < -n || i >= n)
        return tni_fail(err, TN_EINVAL, "index %lld is outside [%lld, %lld)",
                        (long long)i, (long long)-n, (long long)n);
    *out = i < 0 ? i + n : i;
    return TN_OK;
}

tn_status tni_attr_dtype(tn_dtype *out, const tni_node *node, const char *name,
                         tn_dtype absent, tn_err *err)
{
    const int64_t v = tni_attr_int(node, name, (int64_t)absent);
    if (v <= 0 || v >= TN_DTYPE_COUNT)
        return tni_fail(err, TN_EINVAL, "attribute '%s' is %lld, no dtype",
                        name, (long long)v);
    *out = (tn_dtype)v;
    return TN_OK;
}
