/* SPDX-License-Identifier: Apache-2.0 */
/* product.c - shapes, reference and f32 plan of matrix products */
#include "ops/product.h"

#include "base/checked.h"
#include "ops/nn.h"
#include "ops/pack_weights.h"

#include <string.h>

/* --- shapes -------------------------------------------------------------- */

/* One operand: stored matrices of rows by cols with leading dimension ld. */
typedef struct operand {
    int64_t rows, cols, ld;
    int n_batch;
    int64_t dims[TN_MAX_RANK], step[TN_MAX_RANK];
} operand;

static tn_status operand_make(operand *o, const tni_type *t, bool left,
                              tni_product_view v, tn_err *err)
{
    const int r = t->rank;
    if (r < 1) return tni_fail(err, TN_EINVAL, "an operand is a scalar");
    memset(o, 0, sizeof *o);
    if (r == 1) {
        o->rows = left ? 1 : t->dims[0];
        o->cols = left ? t->dims[0] : 1;
        o->ld = o->cols;
        return TN_OK;
    }
    const bool moved = v.batch_trans && r > 2;
    const int first = moved ? 1 : 0;
    o->rows = t->dims[moved ? 0 : r - 2];
    o->cols = t->dims[r - 1];
    o->ld = moved ? tni_nn_dims_product(t->dims, 1, r) : o->cols;
    o->n_batch = r - 2;
    for (int i = 0; i < o->n_batch; i++) {
        o->dims[i] = t->dims[first + i];
        o->step[i] = tni_nn_dims_product(t->dims, first + i + 1, r);
    }
    return TN_OK;
}

/* Steps of one operand under the common batch; 0 where it is repeated. */
static void align_steps(int64_t *step, const tni_product *p, const operand *o)
{
    const int lead = p->batch_rank - o->n_batch;
    for (int i = 0; i < p->batch_rank; i++)
        step[i] = i < lead || o->dims[i - lead] == 1 ? 0 : o->step[i - lead];
}

tn_status tni_product_make(tni_product *p, const tni_type *a, const tni_type *b,
                           tni_product_view va, tni_product_view vb,
                           tn_err *err)
{
    operand x, y;
    int64_t k = 0;
    memset(p, 0, sizeof *p);
    TN_TRY(operand_make(&x, a, true, va, err));
    TN_TRY(operand_make(&y, b, false, vb, err));
    p->a_vec = a->rank == 1;
    p->b_vec = b->rank == 1;
    p->a_trans = va.trans && !p->a_vec;
    p->b_trans = vb.trans && !p->b_vec;
    p->m = p->a_trans ? x.cols : x.rows;
    p->n = p->b_trans ? y.rows : y.cols;
    p->lda = x.ld;
    p->ldb = y.ld;
    if (!tni_dim_equal(&k, p->a_trans ? x.rows : x.cols,
                       p->b_trans ? y.cols : y.rows)) {
        char s[100], t[100];
        return tni_fail(err, TN_EINVAL, "%s and %s have no common dimension",
                        tni_type_format(s, sizeof s, a),
                        tni_type_format(t, sizeof t, b));
    }
    p->k = k;
    p->batch_rank = x.n_batch > y.n_batch ? x.n_batch : y.n_batch;
    for (int i = 0; i < p->batch_rank; i++) {
        const int i_a = i - (p->batch_rank - x.n_batch);
        const int i_b = i - (p->batch_rank - y.n_batch);
        const int64_t d_a = i_a < 0 ? 1 : x.dims[i_a];
        const int64_t d_b = i_b < 0 ? 1 : y.dims[i_b];
        if (!tni_dim_broadcast(&p->batch[i], d_a, d_b))
            return tni_fail(err, TN_EINVAL,
                            "batch dimension %d is %lld against %lld", i,
                            (long long)d_a, (long long)d_b);
    }
    align_steps(p->a_step, p, &x);
    align_steps(p->b_step, p, &y);
    return TN_OK;
}

int tni_product_dims(const tni_product *p, int64_t *dims)
{
    int rank = p->batch_rank;
    memcpy(dims, p->batch, (size_t)rank * sizeof dims[0]);
    if (!p->a_vec) dims[rank++] = p->m;
    if (!p->b_vec) dims[rank++] = p->n;
    return rank;
}

tn_status tni_product_infer(tni_infer *c, tni_product_view va,
                            tni_product_view vb)
{
    tni_product p;
    int64_t dims[TN_MAX_RANK];
    if (!tni_infer_ranked(c, 0) || !tni_infer_ranked(c, 1)) {
        tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
        return TN_OK;
    }
    TN_TRY(tni_product_make(&p, c->in[0], c->in[1], va, vb, c->err));
    const int rank = tni_product_dims(&p, dims);
    return tni_infer_dims(c, 0, c->in[0]->dtype, rank, dims);
}

static int64_t n_batches(const tni_product *p)
{
    return tni_nn_extent(p->batch, 0, p->batch_rank);
}

/* Offsets of matrix i of the batch in both operands. */
static void offsets(const tni_product *p, int64_t i, int64_t *a, int64_t *b)
{
    *a = *b = 0;
    for (int d = p->batch_rank - 1; d >= 0; d--) {
        const int64_t at = i % p->batch[d];
        *a += at * p->a_step[d];
        *b += at * p->b_step[d];
        i /= p->batch[d];
    }
}

/* --- reference ----------------------------------------------------------- */

#define DEFINE_MULTIPLY(NAME, T)                                               \
    static void NAME(const tni_product *p, const T *a, const T *b, T *y)       \
    {                                                                          \
        for (int64_t i = 0; i < p->m; i++, y += p->n) {                        \
            for (int64_t j = 0; j < p->n; j++) y[j] = 0;                       \
            for (int64_t k = 0; k < p->k; k++) {                               \
                const T v =                                                    \
                    p->a_trans ? a[k * p->lda + i] : a[i * p->lda + k];        \
                if (p->b_trans)                                                \
                    for (int64_t j = 0; j < p->n; j++)                         \
                        y[j] += v * b[j * p->ldb + k];                         \
                else                                                           \
                    for (int64_t j = 0; j < p->n; j++)                         \
                        y[j] += v * b[k * p->ldb + j];                         \
            }                                                                  \
        }                                                                      \
    }

DEFINE_MULTIPLY(multiply_f64, double)
DEFINE_MULTIPLY(multiply_u64, uint64_t)

/* Elements of an integer tensor modulo 2^64. */
static tn_status load_u64(tni_ref *c, const tni_tensor *t, const uint64_t **x)
{
    size_t bytes = 0;
    if (!tni_mul_size((size_t)t->len + 1, sizeof **x, &bytes))
        return tni_ref_nomem(c);
    uint64_t *out = tni_ref_scratch(c, bytes);
    if (out == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; i < t->len; i++) out[i] = (uint64_t)tni_get_i64(t, i);
    *x = out;
    return TN_OK;
}

static void store_u64(tni_tensor *t, const uint64_t *y)
{
    for (int64_t i = 0; i < t->len; i++) {
        switch (t->dtype) {
        case TN_I8:
        case TN_U8: TNI_DATA(uint8_t, t)[i] = (uint8_t)y[i]; break;
        case TN_I16:
        case TN_U16: TNI_DATA(uint16_t, t)[i] = (uint16_t)y[i]; break;
        case TN_I32:
        case TN_U32: TNI_DATA(uint32_t, t)[i] = (uint32_t)y[i]; break;
        default: TNI_DATA(uint64_t, t)[i] = y[i]; break;
        }
    }
}

/* Index into C of element i of an output that C broadcasts to. */
static int64_t broadcast_index(const tni_tensor *to, const tni_tensor *from,
                               int64_t i)
{
    int64_t at = 0, step = 1;
    for (int d = to->rank - 1; d >= 0; d--) {
        const int f = d - (to->rank - from->rank);
        if (f >= 0) {
            if (from->dims[f] != 1) at += i % to->dims[d] * step;
            step *= from->dims[f];
        }
        i /= to->dims[d];
    }
    return at;
}

static tn_status check_broadcast(tni_ref *c, const tni_tensor *to,
                                 const tni_tensor *from)
{
    bool good = from->rank <= to->rank;
    for (int d = 0; good && d < from->rank; d++) {
        const int64_t e = from->dims[d];
        good = e == 1 || e == to->dims[to->rank - from->rank + d];
    }
    if (good) return TN_OK;
    char s[100], t[100];
    return tni_fail(
        c->err, TN_EINVAL, "%s does not broadcast to %s",
        tni_shape_format(s, sizeof s, from->dtype, from->rank, from->dims),
        tni_shape_format(t, sizeof t, to->dtype, to->rank, to->dims));
}

static tn_status ref_float(tni_ref *c, const tni_product *p,
                           const tni_product_tail *tail)
{
    const double *a = NULL, *b = NULL, *add = NULL;
    double *y = NULL;
    TN_TRY(tni_nn_load(c, c->in[0], &a));
    TN_TRY(tni_nn_load(c, c->in[1], &b));
    TN_TRY(tni_nn_open(c, 0, &y));
    if (y == NULL) return TN_OK;
    const int64_t len = c->out[0]->len;
    for (int64_t i = 0; len != 0 && i < n_batches(p); i++) {
        int64_t at_a, at_b;
        offsets(p, i, &at_a, &at_b);
        multiply_f64(p, a + at_a, b + at_b, y + i * p->m * p->n);
    }
    for (int64_t i = 0; i < len; i++) y[i] *= (double)tail->alpha;
    for (int q = 0; q < 2; q++) {
        const int from = q == 0 ? tail->c : tail->residual;
        const double scale = q == 0 ? (double)tail->beta : 1.0;
        if (from < 0 || !tni_ref_has(c, from)) continue;
        TN_TRY(check_broadcast(c, c->out[0], c->in[from]));
        TN_TRY(tni_nn_load(c, c->in[from], &add));
        for (int64_t i = 0; i < len; i++)
            y[i] += scale * add[broadcast_index(c->out[0], c->in[from], i)];
    }
    tni_activation_f64(&tail->act, y, len);
    tni_nn_store(c, 0, y);
    return TN_OK;
}

static tn_status ref_integer(tni_ref *c, const tni_product *p,
                             const tni_product_tail *tail)
{
    const uint64_t *a = NULL, *b = NULL, *add = NULL;
    const int64_t len = c->out[0]->len;
    size_t bytes = 0;
    TN_TRY(load_u64(c, c->in[0], &a));
    TN_TRY(load_u64(c, c->in[1], &b));
    if (!tni_mul_size((size_t)len + 1, sizeof *a, &bytes))
        return tni_ref_nomem(c);
    uint64_t *y = tni_ref_scratch(c, bytes);
    if (y == NULL) return tni_ref_nomem(c);
    for (int64_t i = 0; len != 0 && i < n_batches(p); i++) {
        int64_t at_a, at_b;
        offsets(p, i, &at_a, &at_b);
        multiply_u64(p, a + at_a, b + at_b, y + i * p->m * p->n);
    }
    /* Whole factors wrap like the sums; others go through double. */
    const double alpha = (double)tail->alpha, beta = (double)tail->beta;
    const bool whole = alpha >= 1 && alpha <= 1 && beta >= 1 && beta <= 1;
    const bool has_c = tail->c >= 0 && tni_ref_has(c, tail->c);
    if (has_c) {
        TN_TRY(check_broadcast(c, c->out[0], c->in[tail->c]));
        TN_TRY(load_u64(c, c->in[tail->c], &add));
    }
    for (int64_t i = 0; i < len; i++) {
        const uint64_t v =
            add != NULL ? add[broadcast_index(c->out[0], c->in[tail->c], i)]
                        : 0;
        if (whole)
            y[i] += v;
        else
            y[i] = (uint64_t)(int64_t)(alpha * (double)(int64_t)y[i] +
                                       beta * (double)(int64_t)v);
    }
    store_u64(c->out[0], y);
    return TN_OK;
}

static void type_of(tni_type *t, const tni_tensor *x)
{
    tni_type_tensor(t, x->dtype, x->rank);
    memcpy(t->dims, x->dims, (size_t)x->rank * sizeof x->dims[0]);
}

tn_status tni_product_ref(tni_ref *c, tni_product_view va, tni_product_view vb,
                          const tni_product_tail *tail)
{
    tni_product p;
    tni_type a, b;
    int64_t dims[TN_MAX_RANK];
    type_of(&a, c->in[0]);
    type_of(&b, c->in[1]);
    TN_TRY(tni_product_make(&p, &a, &b, va, vb, c->err));
    const int rank = tni_product_dims(&p, dims);
    TN_TRY(tni_ref_output(c, 0, a.dtype, rank, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    return tni_is_float(a.dtype) ? ref_float(c, &p, tail)
                                 : ref_integer(c, &p, tail);
}

/* --- plan ---------------------------------------------------------------- */

/* How C enters: not at all, one value per column, per row, one value, or a
 * matrix like the output. */
typedef enum addend {
    ADD_NONE,
    ADD_COLUMNS,
    ADD_ROWS,
    ADD_SCALAR,
    ADD_FULL
} addend;

typedef struct product_state {
    tni_product p;
    int64_t batches;
    tni_gemm g; /* shapes only */
    tni_gemm_plan plan;
    const tni_gemm_kernels *ker;
    size_t pairs; /* bfloat16 pairs of a row of A; 0: all is float32 */
    tni_cvt_narrow_fn narrow;
    const float *packed; /* every matrix of a constant B, or NULL */
    size_t packed_len;   /* of one */
    tni_epilogue epi;
    tni_activation act;
    addend add_kind;
    int c, residual;
    size_t rows_bytes;  /* of scratch: C as one value per row */
    size_t pairs_bytes; /* of scratch: A as pairs */
    float beta;
} product_state;

typedef struct product_job {
    const product_state *st;
    const float *a, *b;
    float *y;
    tni_epilogue epi;
    char *scratch;
} product_job;

static void product_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const product_job *j = ctx;
    const product_state *st = j->st;
    const size_t per = tni_gemm_tasks(&st->plan);
    float *scratch = (float *)(void *)j->scratch;
    scratch += (size_t)worker * st->plan.scratch_len;
    for (size_t i = begin; i < end; i++) {
        const int64_t batch = (int64_t)(i / per);
        const size_t at = i / per * st->g.m * st->g.n;
        tni_gemm g = st->g;
        tni_epilogue e = j->epi;
        int64_t at_a, at_b;
        offsets(&st->p, batch, &at_a, &at_b);
        g.a = j->a + (st->pairs != 0 ? i / per * g.m * g.lda : (size_t)at_a);
        if (st->packed != NULL)
            g.b_packed = st->packed +
                         (size_t)(at_b / (st->p.k * st->p.n)) * st->packed_len;
        else
            g.b = j->b + at_b;
        g.c = j->y + at;
        if (e.add != NULL && e.add_ld != 0) e.add += at;
        tni_gemm_task(st->ker, &st->plan, &g, &e, i % per, scratch);
    }
}

/* What turns rows of A into pairs. */
typedef struct pairs_job {
    const product_state *st;
    const float *a;
    float *out;
} pairs_job;

static void pair_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const pairs_job *j = ctx;
    const product_state *st = j->st;
    const size_t m = st->g.m;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        int64_t at_a, at_b;
        offsets(&st->p, (int64_t)(i / m), &at_a, &at_b);
        tni_bgemm_pair_row(st->narrow, j->out + i * st->pairs,
                           j->a + at_a + (int64_t)(i % m) * st->p.lda,
                           (size_t)st->p.k);
    }
}

static void product_run(const tni_run *c)
{
    const product_state *st = c->state;
    product_job j = {st,
                     TNI_CDATA(float, c->in[0]),
                     TNI_CDATA(float, c->in[1]),
                     TNI_DATA(float, c->out[0]),
                     st->epi,
                     c->scratch};
    const float *add =
        st->add_kind == ADD_NONE ? NULL : TNI_CDATA(float, c->in[st->c]);
    const bool plain = st->beta >= 1.0f && st->beta <= 1.0f;
    if (st->add_kind == ADD_FULL || (st->add_kind == ADD_COLUMNS && !plain)) {
        j.epi.add = add;
        j.epi.add_ld = st->add_kind == ADD_FULL ? st->g.n : 0;
        j.epi.beta = st->beta;
    } else if (st->add_kind == ADD_COLUMNS) {
        j.epi.bias_col = add;
    } else if (st->add_kind == ADD_ROWS || st->add_kind == ADD_SCALAR) {
        float *rows = (float *)c->scratch;
        for (size_t i = 0; i < st->g.m; i++)
            rows[i] = st->beta * add[st->add_kind == ADD_ROWS ? i : 0];
        j.epi.bias_row = rows;
        j.scratch += st->rows_bytes;
    }
    if (st->residual >= 0) {
        j.epi.add = TNI_CDATA(float, c->in[st->residual]);
        j.epi.add_ld = st->g.n;
    }
    if (st->pairs != 0) {
        pairs_job pairs = {st, j.a, (float *)(void *)j.scratch};
        tni_par_for(c->par, (size_t)st->batches * st->g.m, pair_rows, &pairs);
        j.a = pairs.out;
        j.scratch += st->pairs_bytes;
    }
    tni_par_for(c->par, (size_t)st->batches * tni_gemm_tasks(&st->plan),
                product_tasks, &j);
}

/* A stack of A against one B is one tall A when its rows are evenly spaced. */
static void fold_batch(tni_product *p)
{
    int64_t step = p->m * p->lda;
    if (p->a_trans) return;
    for (int d = p->batch_rank - 1; d >= 0; d--) {
        if (p->batch[d] == 1) continue;
        if (p->b_step[d] != 0 || p->a_step[d] != step) return;
        step *= p->batch[d];
    }
    p->m *= n_batches(p);
    p->batch_rank = 0;
}

static bool like_output(const tni_type *t, const tni_type *out)
{
    return t->rank == out->rank &&
           memcmp(t->dims, out->dims, (size_t)t->rank * sizeof t->dims[0]) == 0;
}

/* False when C has a form that only the reference knows. */
static bool choose_addend(product_state *st, const tni_type *t,
                          const tni_type *out, bool matrix)
{
    const int64_t n = st->p.n;
    int64_t len = 1;
    for (int i = 0; i < t->rank; i++) len *= t->dims[i];
    const int64_t last = t->rank > 0 ? t->dims[t->rank - 1] : 1;
    if (t->rank > out->rank) return false;
    if (like_output(t, out))
        st->add_kind = ADD_FULL;
    else if (len == 1)
        st->add_kind = ADD_SCALAR;
    else if (last == n && len == n)
        st->add_kind = ADD_COLUMNS;
    else if (matrix && t->rank == 2 && last == 1 && len == st->p.m)
        st->add_kind = ADD_ROWS;
    else
        return false;
    return true;
}

/* Whether B is a constant whose matrices lie side by side. */
static bool can_pack(const tni_plan *c, const tni_product *p)
{
    const tni_type *t = c->in[1];
    int64_t len = 1;
    for (int i = 0; i < t->rank; i++) len *= t->dims[i];
    return c->in_const[1] != NULL && len != 0 &&
           p->ldb == (p->b_trans ? p->k : p->n);
}

/* Whether to multiply bfloat16; leaves word of it in the plan. */
static bool choose_pairs(tni_plan *c, const tni_product *p)
{
    const tni_gemm_kernels *ker = &c->kernels->bgemm;
    if (!c->bf16) return false;
    c->in_bf16 = can_pack(c, p) && !p->a_trans;
    if (!can_pack(c, p))
        c->precision = "float32: its weights are not constant";
    else if (p->a_trans)
        c->precision = "float32: its left operand is transposed";
    else if (tni_bgemm_native(ker))
        c->precision = "bf16";
    else if (p->m <= ker->wide_rows)
        c->precision = "bf16, widened";
    else
        c->precision = TNI_BF16_WIDENED;
    return c->in_bf16;
}

/* Packed weights of a node that are kept differ in slot. */
enum { SLOT_FLOATS, SLOT_PAIRS };

static tn_status pack_operand(tni_plan *c, product_state *st)
{
    const tni_product *p = &st->p;
    const size_t k = st->pairs != 0 ? st->pairs : (size_t)p->k;
    size_t bytes = 0;
    bool fresh = false;
    if (!can_pack(c, p)) return TN_OK;
    const int64_t stored = p->k * p->n;
    const size_t count = (size_t)(c->in_const[1]->len / stored);
    if (!tni_gemm_packed_b_len(st->ker, k, (size_t)p->n, &st->packed_len) ||
        !tni_mul_size(st->packed_len, count * sizeof(float), &bytes))
        return tni_fail(c->err, TN_ELIMIT, "packed weights are too large");
    float *packed =
        c->prepack(c, st->pairs != 0 ? SLOT_PAIRS : SLOT_FLOATS, bytes, &fresh);
    if (packed == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (size_t i = 0; fresh && i < count; i++)
        TN_TRY((st->pairs != 0 ? tni_pack_pairs : tni_pack_weights)(
            c, 1, i * (size_t)stored, p->b_trans, (size_t)p->k, (size_t)p->n,
            packed + i * st->packed_len));
    st->packed = packed;
    c->packed |= 1u << 1;
    return TN_OK;
}

static tn_status size_scratch(tni_plan *c, product_state *st)
{
    const size_t workers = (size_t)c->n_workers;
    size_t bytes = 0;
    if (!tni_mul_size(st->plan.scratch_len, workers * sizeof(float), &bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    if (st->add_kind == ADD_ROWS || st->add_kind == ADD_SCALAR) {
        if (!tni_mul_size(st->g.m, sizeof(float), &st->rows_bytes) ||
            !tni_align_up(st->rows_bytes, TNI_ALIGN, &st->rows_bytes))
            return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    }
    if (!tni_mul_size((size_t)st->batches * st->g.m, st->pairs * sizeof(float),
                      &st->pairs_bytes) ||
        !tni_align_up(st->pairs_bytes, TNI_ALIGN, &st->pairs_bytes) ||
        !tni_add_size(bytes, st->pairs_bytes, &bytes) ||
        !tni_add_size(bytes, st->rows_bytes, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    return TN_OK;
}

static bool present(const tni_plan *c, int i)
{
    return i >= 0 && i < c->n_in && c->in[i] != NULL;
}

tn_status tni_product_plan(tni_plan *c, tni_product_view va,
                           tni_product_view vb, const tni_product_tail *tail)
{
    tni_product p;
    static const float any = 0;
    if (c->in[0]->dtype != TN_F32 || c->out[0] == NULL) return TN_OK;
    TN_TRY(tni_product_make(&p, c->in[0], c->in[1], va, vb, c->err));
    product_state *st = TNI_NEW(c->arena, product_state);
    if (st == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const bool matrix = p.batch_rank == 0;
    fold_batch(&p);
    st->p = p;
    st->ker = &c->kernels->gemm;
    st->act = tail->act;
    st->beta = tail->beta;
    st->c = tail->c;
    st->residual = present(c, tail->residual) ? tail->residual : -1;
    if (present(c, tail->c) &&
        !choose_addend(st, c->in[tail->c], c->out[0], matrix))
        return TN_OK;
    /* The epilogue has one matrix to add. */
    const bool plain = tail->beta >= 1.0f && tail->beta <= 1.0f;
    if (st->residual >= 0 &&
        (!like_output(c->in[st->residual], c->out[0]) ||
         st->add_kind == ADD_FULL || (st->add_kind == ADD_COLUMNS && !plain)))
        return TN_OK;

    const tni_epilogue none = TNI_EPILOGUE_NONE;
    st->epi = none;
    st->epi.alpha = tail->alpha;
    tni_activation_set(&st->epi, &st->act, c->kernels);
    st->batches = n_batches(&p);
    if (choose_pairs(c, &p)) {
        st->pairs = tni_bgemm_pairs((size_t)p.k);
        st->ker = &c->kernels->bgemm;
        st->narrow = c->kernels->cvt.bf16_from_f32;
    }
    TN_TRY(pack_operand(c, st));
    st->g = (tni_gemm){.m = (size_t)p.m,
                       .n = (size_t)p.n,
                       .k = (size_t)p.k,
                       .lda = (size_t)p.lda,
                       .ldb = (size_t)p.ldb,
                       .ldc = (size_t)p.n,
                       .a_trans = p.a_trans,
                       .b_trans = p.b_trans};
    if (st->pairs != 0) st->g.k = st->g.lda = st->pairs;
    tni_gemm shape = st->g;
    if (st->packed != NULL) shape.b_packed = &any;
    tni_gemm_plan_init(&st->plan, st->ker, &shape);
    TN_TRY(size_scratch(c, st));
    c->state = st;
    c->run = product_run;
    return TN_OK;
}
