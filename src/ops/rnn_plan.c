/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rnn_plan.c - RNN, GRU and LSTM in f32 on packed weights
 *
 * The inputs of all steps are projected by one product. Then each step adds
 * the projected state to its rows and applies the gates. Rows of a batch take
 * their steps together, or on their own when lengths are given.
 *
 * Numeric: sums in float in the order of k, see kernels/gemm/gemm.h; the same
 *          bits for any number of workers and any place in a batch
 */
#include "base/checked.h"
#include "base/team.h"
#include "kernels/kernels.h"
#include "ops/pack_weights.h"
#include "ops/rnn.h"

#include <string.h>

/* Work on a step is shared out above this many multiply-adds. */
enum { SHARE_STEP = 1 << 16 };

typedef struct act {
    tni_unary_f32_fn fn;
    float params[3];
} act;

/* A product with packed weights, in as many rows as `plan` was made for. */
typedef struct product {
    tni_gemm g;
    tni_gemm_plan plan;
    size_t len; /* of the packed weights */
} product;

typedef struct state {
    tni_rnn r;
    tni_rnn_dims d;
    const tni_kernels *kernels;
    act acts[2][TNI_RNN_MAX_ACTS];
    tni_unary_f32_fn clip;
    int n_in, n_out;
    size_t width; /* gates * hidden */
    size_t xw_ld; /* floats from one row of projected inputs to the next */
    size_t rows;  /* of the batch that step together */
    size_t tasks; /* walks: directions, times rows when lengths are given */
    bool split;   /* GRU: the last gate has a product of its own */
    product input, step, last;
    const float *packed[2][3]; /* by direction: input, step, last */
    size_t xw_len, bias_len;   /* floats for all directions */
    size_t own_len;            /* floats of one walk: states and work */
    size_t gemm_len;           /* floats of one worker for the products */
    int members;               /* workers that share the steps of one walk */
} state;

static bool map_act(act *a, const tni_kernels *k, const tni_rnn_act *from)
{
    static const struct {
        tni_rnn_fn from;
        tni_unary_op to;
    } map[] = {
        {TNI_RNN_RELU, TNI_UNARY_RELU},
        {TNI_RNN_SIGMOID, TNI_UNARY_SIGMOID},
        {TNI_RNN_TANH, TNI_UNARY_TANH},
        {TNI_RNN_SOFTPLUS, TNI_UNARY_SOFTPLUS},
        {TNI_RNN_SOFTSIGN, TNI_UNARY_SOFTSIGN},
        {TNI_RNN_LEAKYRELU, TNI_UNARY_LEAKYRELU},
        {TNI_RNN_HARDSIGMOID, TNI_UNARY_HARDSIGMOID},
        {TNI_RNN_ELU, TNI_UNARY_ELU},
    };
    for (int i = 0; i < TNI_COUNT(map); i++) {
        if (map[i].from != from->fn) continue;
        a->fn = k->unary.f32[map[i].to];
        a->params[0] = from->alpha;
        a->params[1] = from->fn == TNI_RNN_ELU ? 1.0f : from->beta;
        a->params[2] = 1.0f;
        return a->fn != NULL;
    }
    return false;
}

/* --- running ------------------------------------------------------------ */

typedef struct walk {
    const state *s;
    const tni_run *c;
    const float *x, *h0, *c0, *p;
    const int32_t *lens;
    float *y, *yh, *yc;
    float *xw, *bias, *own, *gemm;
    const tni_par *par; /* of the team that shares the steps, or NULL */
} walk;

/* Rows of floats, ld from one to the next. */
typedef struct rows {
    float *at;
    size_t ld;
} rows;

/* c = a * packed + add, where add.at may be NULL. It is not c: that holds sums
 * of the first terms before the last are there. */
static void multiply(const walk *q, const product *p, const float *packed,
                     const float *a, rows c, rows add, float *scratch)
{
    tni_gemm g = p->g;
    tni_epilogue e = TNI_EPILOGUE_NONE;
    g.a = a;
    g.lda = (size_t)q->s->d.hidden;
    g.b_packed = packed;
    g.c = c.at;
    g.ldc = c.ld;
    e.add = add.at;
    e.add_ld = add.ld;
    tni_gemm_run(&q->s->kernels->gemm, &p->plan, &g, &e, scratch, q->par);
}

static void apply(const act *a, float *x, size_t n)
{
    a->fn(x, x, n, a->params);
}

/* One row of gates i, o, f, c. */
static void finish_lstm(const walk *q, int dir, float *g, float *h, float *c)
{
    const state *s = q->s;
    const act *acts = s->acts[dir];
    const size_t n = (size_t)s->d.hidden;
    const float range[2] = {-s->r.clip, s->r.clip};
    const float *p = q->p != NULL ? q->p + (size_t)dir * 3 * n : NULL;
    if (p != NULL) {
        for (size_t j = 0; j < n; j++) g[j] += p[j] * c[j];
        for (size_t j = 0; j < n; j++) g[2 * n + j] += p[2 * n + j] * c[j];
    }
    const bool clip = s->r.clip > 0.0f;
    if (clip) s->clip(g, g, n, range);
    if (clip) s->clip(g + 2 * n, g + 2 * n, 2 * n, range);
    apply(&acts[0], g, n);
    apply(&acts[1], g + 3 * n, n);
    if (s->r.input_forget)
        for (size_t j = 0; j < n; j++) g[2 * n + j] = 1.0f - g[j];
    else
        apply(&acts[0], g + 2 * n, n);
    for (size_t j = 0; j < n; j++)
        c[j] = g[2 * n + j] * c[j] + g[j] * g[3 * n + j];
    if (p != NULL)
        for (size_t j = 0; j < n; j++) g[n + j] += p[n + j] * c[j];
    if (clip) s->clip(g + n, g + n, n, range);
    apply(&acts[0], g + n, n);
    acts[2].fn(c, h, n, acts[2].params);
    for (size_t j = 0; j < n; j++) h[j] *= g[n + j];
}

/* h becomes (1 - z) f(v) + z h. */
static void finish_gru(const walk *q, int dir, const float *z, float *v,
                       float *h)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    const float range[2] = {-s->r.clip, s->r.clip};
    if (s->r.clip > 0.0f) s->clip(v, v, n, range);
    apply(&s->acts[dir][1], v, n);
    for (size_t j = 0; j < n; j++) h[j] = (1.0f - z[j]) * v[j] + z[j] * h[j];
}

static void gru_gates(const walk *q, int dir, float *g)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    const float range[2] = {-s->r.clip, s->r.clip};
    if (s->r.clip > 0.0f) s->clip(g, g, 2 * n, range);
    apply(&s->acts[dir][0], g, 2 * n);
}

/* The reset stands after the product: one product has all gates. */
static void step_gru_linear(const walk *q, int dir, rows g, float *h,
                            float *work, float *gemm)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden, w = s->width;
    const float *rb = q->bias + s->bias_len / 2 + (size_t)dir * w + 2 * n;
    multiply(q, &s->step, s->packed[dir][1], h, (rows){work, w},
             (rows){NULL, 0}, gemm);
    for (size_t i = 0; i < s->rows; i++) {
        float *to = g.at + i * g.ld;
        const float *from = work + i * w;
        for (size_t j = 0; j < 2 * n; j++) to[j] += from[j];
        gru_gates(q, dir, to);
        for (size_t j = 0; j < n; j++)
            to[2 * n + j] += to[n + j] * (from[2 * n + j] + rb[j]);
        finish_gru(q, dir, to, to + 2 * n, h + i * n);
    }
}

/* The reset stands before the product of the last gate, whose values take the
 * place of the reset's. */
static void step_gru(const walk *q, int dir, rows g, float *h, float *work,
                     float *gemm)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    float *reset = work + s->rows * 2 * n;
    multiply(q, &s->step, s->packed[dir][1], h, (rows){work, 2 * n}, g, gemm);
    for (size_t i = 0; i < s->rows; i++) {
        float *zr = work + i * 2 * n;
        gru_gates(q, dir, zr);
        for (size_t j = 0; j < n; j++)
            reset[i * n + j] = zr[n + j] * h[i * n + j];
    }
    multiply(q, &s->last, s->packed[dir][2], reset, (rows){work + n, 2 * n},
             (rows){g.at + 2 * n, g.ld}, gemm);
    for (size_t i = 0; i < s->rows; i++) {
        float *zv = work + i * 2 * n;
        finish_gru(q, dir, zv, zv + n, h + i * n);
    }
}

/* One step of the rows that go together, from their projected inputs g. */
static void take_step(const walk *q, int dir, rows g, float *h, float *c,
                      float *work, float *gemm)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    if (s->r.kind->gates == 3) {
        (s->split ? step_gru : step_gru_linear)(q, dir, g, h, work, gemm);
        return;
    }
    multiply(q, &s->step, s->packed[dir][1], h, (rows){work, s->width}, g,
             gemm);
    for (size_t i = 0; i < s->rows; i++) {
        float *row = work + i * s->width;
        if (s->r.kind->has_cell) {
            finish_lstm(q, dir, row, h + i * n, c + i * n);
            continue;
        }
        const float range[2] = {-s->r.clip, s->r.clip};
        if (s->r.clip > 0.0f) s->clip(row, row, n, range);
        s->acts[dir][0].fn(row, h + i * n, n, s->acts[dir][0].params);
    }
}

static void load_states(const walk *q, int dir, int64_t b, float *h, float *c)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    memset(h, 0, s->rows * n * sizeof *h);
    memset(c, 0, s->rows * n * sizeof *c);
    for (size_t i = 0; i < s->rows; i++) {
        const int64_t at = tni_rnn_state_at(&s->r, &s->d, b + (int64_t)i, dir);
        if (q->h0 != NULL) memcpy(h + i * n, q->h0 + at, n * sizeof *h);
        if (q->c0 != NULL) memcpy(c + i * n, q->c0 + at, n * sizeof *c);
    }
}

static void put_rows(const walk *q, float *y, int dir, int64_t t, int64_t b,
                     const float *h)
{
    const state *s = q->s;
    const size_t n = (size_t)s->d.hidden;
    for (size_t i = 0; y != NULL && i < s->rows; i++) {
        float *to = y + tni_rnn_y_at(&s->r, &s->d, t, b + (int64_t)i, dir);
        if (h != NULL)
            memcpy(to, h + i * n, n * sizeof *to);
        else
            memset(to, 0, n * sizeof *to);
    }
}

static void run_walk(const walk *q, size_t task, float *gemm)
{
    const state *s = q->s;
    const tni_rnn_dims *d = &s->d;
    const size_t per_dir = s->tasks / (size_t)s->r.n_dirs;
    const int dir = (int)(task / per_dir);
    const int64_t b = (int64_t)(task % per_dir);
    const size_t n = (size_t)d->hidden;
    float *h = q->own + task * s->own_len, *c = h + s->rows * n;
    float *work = c + s->rows * n;
    float *xw = q->xw + (size_t)dir * (s->xw_len / (size_t)s->r.n_dirs);
    /* Rows of one time are neighbours, or a sequence apart. */
    const size_t ld = s->r.batch_first ? (size_t)d->seq * s->xw_ld : s->xw_ld;
    const int64_t len = q->lens != NULL ? q->lens[b] : d->seq;
    load_states(q, dir, b, h, c);
    for (int64_t i = 0; i < d->seq; i++) {
        if (i >= len) {
            put_rows(q, q->y, dir, i, b, NULL);
            continue;
        }
        const int64_t t = s->r.reverse[dir] ? len - 1 - i : i;
        const int64_t row =
            s->r.batch_first ? b * d->seq + t : t * d->batch + b;
        take_step(q, dir, (rows){xw + (size_t)row * s->xw_ld, ld}, h, c, work,
                  gemm);
        put_rows(q, q->y, dir, t, b, h);
        if (q->par != NULL) tni_team_turn(q->par);
    }
    for (size_t i = 0; i < s->rows; i++) {
        const int64_t at = tni_rnn_state_at(&s->r, d, b + (int64_t)i, dir);
        if (q->yh != NULL) memcpy(q->yh + at, h + i * n, n * sizeof *h);
        if (q->yc != NULL) memcpy(q->yc + at, c + i * n, n * sizeof *c);
    }
}

static void walk_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const walk *q = ctx;
    for (size_t i = begin; i < end; i++)
        run_walk(q, i, q->gemm + (size_t)worker * q->s->gemm_len);
}

static void lead_walk(void *ctx, const tni_par *par)
{
    walk *q = ctx;
    q->par = par;
    run_walk(q, 0, q->gemm);
}

/* Sums of W's and R's biases; what a GRU's reset stands before stays apart,
 * in the second half. */
static void fill_bias(const state *s, const float *b, float *to)
{
    const size_t w = s->width, n = (size_t)s->d.hidden;
    float *apart = to + s->bias_len / 2;
    memset(to, 0, s->bias_len * sizeof *to);
    for (int dir = 0; b != NULL && dir < s->r.n_dirs; dir++) {
        const float *wb = b + (size_t)dir * 2 * w, *rb = wb + w;
        const size_t joint =
            s->r.kind->gates == 3 && s->r.linear_before_reset ? 2 * n : w;
        for (size_t j = 0; j < w; j++) {
            const size_t at = (size_t)dir * w + j;
            to[at] = j < joint ? wb[j] + rb[j] : wb[j];
            if (j >= joint) apart[at] = rb[j];
        }
    }
}

static const float *floats(const tni_run *c, int n_in, int i)
{
    return i < n_in && c->in[i] != NULL ? c->in[i]->data : NULL;
}

static void run(const tni_run *c)
{
    const state *s = c->state;
    walk q = {.s = s, .c = c};
    q.x = floats(c, s->n_in, TNI_RNN_X);
    q.h0 = floats(c, s->n_in, TNI_RNN_H0);
    q.c0 = floats(c, s->n_in, TNI_RNN_C0);
    q.p = floats(c, s->n_in, TNI_RNN_P);
    if (TNI_RNN_LENS < s->n_in && c->in[TNI_RNN_LENS] != NULL) {
        q.lens = c->in[TNI_RNN_LENS]->data;
        for (int64_t i = 0; i < s->d.batch; i++) {
            if (q.lens[i] >= 0 && q.lens[i] <= s->d.seq) continue;
            tni_run_fault(c, "a sequence length is outside the sequence");
            return;
        }
    }
    float **const out[3] = {&q.y, &q.yh, &q.yc};
    for (int i = 0; i < s->n_out && i < 3; i++)
        if (c->out[i] != NULL) *out[i] = c->out[i]->data;
    q.xw = c->scratch;
    q.bias = q.xw + s->xw_len;
    q.own = q.bias + s->bias_len;
    q.gemm = q.own + s->tasks * s->own_len;
    fill_bias(s, floats(c, s->n_in, TNI_RNN_B), q.bias);
    for (int dir = 0; dir < s->r.n_dirs; dir++) {
        tni_gemm g = s->input.g;
        tni_epilogue e = TNI_EPILOGUE_NONE;
        g.a = q.x;
        g.b_packed = s->packed[dir][0];
        g.c = q.xw + (size_t)dir * (s->xw_len / (size_t)s->r.n_dirs);
        g.ldc = s->xw_ld;
        e.bias_col = q.bias + (size_t)dir * s->width;
        tni_gemm_run(&s->kernels->gemm, &s->input.plan, &g, &e, q.gemm, c->par);
    }
    if (s->tasks == 1)
        tni_team_run(c->par, s->members, lead_walk, &q);
    else
        tni_par_for(c->par, s->tasks, walk_tasks, &q);
}

/* --- planning ----------------------------------------------------------- */

static bool plan_product(state *s, product *p, size_t m, size_t n, size_t k)
{
    static const float any[1];
    const tni_gemm_kernels *ker = &s->kernels->gemm;
    memset(p, 0, sizeof *p);
    p->g.m = m;
    p->g.n = n;
    p->g.k = k;
    p->g.lda = k;
    p->g.ldc = n;
    p->g.b_packed = any;
    tni_gemm_plan_init(&p->plan, ker, &p->g);
    if (p->plan.scratch_len > s->gemm_len) s->gemm_len = p->plan.scratch_len;
    return tni_gemm_packed_b_len(ker, k, n, &p->len);
}

/* Packs rows [row, row + p->g.n) of every direction of input w[D, width, k]. */
static tn_status pack(tni_plan *c, state *s, int which, const product *p,
                      int w, size_t row)
{
    size_t size = 0;
    bool fresh = false;
    if (!tni_mul_size(p->len, sizeof(float) * (size_t)s->r.n_dirs, &size))
        return tni_fail(c->err, TN_ELIMIT, "the weights are too large");
    float *to = c->prepack(c, which, size, &fresh);
    if (to == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const size_t k = p->g.k;
    for (int dir = 0; dir < s->r.n_dirs; dir++) {
        float *mine = to + (size_t)dir * p->len;
        const size_t at = ((size_t)dir * s->width + row) * k;
        if (fresh) TN_TRY(tni_pack_weights(c, w, at, true, k, p->g.n, mine));
        s->packed[dir][which] = mine;
    }
    c->packed |= 1u << w;
    return TN_OK;
}

static bool round_up(size_t *n)
{
    return tni_align_up(*n, TNI_ALIGN / sizeof(float), n);
}

static bool size_scratch(state *s, int n_workers, size_t *bytes)
{
    const size_t n = (size_t)s->d.hidden, dirs = (size_t)s->r.n_dirs;
    const size_t steps = (size_t)(s->d.seq * s->d.batch);
    size_t own, total, part;
    s->xw_ld = s->width;
    if (!round_up(&s->xw_ld)) return false;
    /* Rows a power of two apart would share a few sets of the cache. */
    if (s->xw_ld % 128 == 0) s->xw_ld += TNI_ALIGN / sizeof(float);
    if (!tni_mul_size(steps, s->xw_ld, &s->xw_len) || !round_up(&s->xw_len) ||
        !tni_mul_size(s->xw_len, dirs, &s->xw_len))
        return false;
    s->bias_len = s->width * dirs;
    if (!round_up(&s->bias_len)) return false;
    s->bias_len *= 2;
    if (!tni_mul_size(s->rows, 2 * n + s->width, &own) || !round_up(&own))
        return false;
    s->own_len = own;
    if (!round_up(&s->gemm_len)) return false;
    total = s->xw_len + s->bias_len;
    return tni_mul_size(s->tasks, own, &part) &&
           tni_add_size(total, part, &total) &&
           tni_mul_size(s->gemm_len, (size_t)n_workers, &part) &&
           tni_add_size(total, part, &total) &&
           tni_mul_size(total, sizeof(float), bytes);
}

static tn_status prepare(tni_plan *c, state *s)
{
    const size_t n = (size_t)s->d.hidden, k = (size_t)s->d.input;
    const bool lens = TNI_RNN_LENS < c->n_in && c->in[TNI_RNN_LENS] != NULL;
    s->n_in = c->n_in;
    s->n_out = c->n_out;
    s->width = (size_t)s->r.kind->gates * n;
    s->rows = lens ? 1 : (size_t)s->d.batch;
    s->tasks = (size_t)s->r.n_dirs * (lens ? (size_t)s->d.batch : 1);
    s->split = s->r.kind->gates == 3 && !s->r.linear_before_reset;
    const size_t step_n = s->split ? 2 * n : s->width;
    if (!plan_product(s, &s->input, (size_t)(s->d.seq * s->d.batch), s->width,
                      k) ||
        !plan_product(s, &s->step, s->rows, step_n, n) ||
        !plan_product(s, &s->last, s->rows, n, n) ||
        !size_scratch(s, c->n_workers, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "the sequence is too large");
    s->members = s->rows * s->width * n >= SHARE_STEP ? c->n_workers : 1;
    TN_TRY(pack(c, s, 0, &s->input, TNI_RNN_W, 0));
    TN_TRY(pack(c, s, 1, &s->step, TNI_RNN_R, 0));
    if (s->split)
        TN_TRY(pack(c, s, 2, &s->last, TNI_RNN_R, 2 * n));
    c->state = s;
    c->run = run;
    return TN_OK;
}

tn_status tni_rnn_plan(tni_plan *c, const tni_rnn_kind *kind)
{
    if (c->in[0]->dtype != TN_F32 || c->kernels == NULL ||
        c->in_const[TNI_RNN_W] == NULL || c->in_const[TNI_RNN_R] == NULL)
        return TN_OK;
    state *s = TNI_NEW(c->arena, state);
    if (s == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(tni_rnn_read(&s->r, kind, c->node, c->err));
    s->d = (tni_rnn_dims){TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN, TNI_DIM_UNKNOWN,
                          TNI_DIM_UNKNOWN};
    TN_TRY(tni_rnn_shapes(&s->r, &s->d, c->in, c->n_in, c->err));
    if (s->d.seq <= 0 || s->d.batch <= 0 || s->d.input <= 0 || s->d.hidden <= 0)
        return TN_OK;
    s->kernels = c->kernels;
    s->clip = c->kernels->unary.f32[TNI_UNARY_CLIP];
    for (int dir = 0; dir < s->r.n_dirs; dir++)
        for (int i = 0; i < kind->n_acts; i++)
            if (!map_act(&s->acts[dir][i], c->kernels, &s->r.act[dir][i]))
                return TN_OK;
    return prepare(c, s);
}
