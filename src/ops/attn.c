/* SPDX-License-Identifier: Apache-2.0 */
/* attn.c - scaled dot-product attention: reference and f32 plan */
#include "ops/attn.h"

#include "base/checked.h"
#include "kernels/kernels.h"

#include <math.h>
#include <string.h>

tni_attn_stride tni_attn_bsh(int64_t s, int64_t h, int64_t d)
{
    return (tni_attn_stride){.b = s * h * d, .h = d, .s = h * d};
}

tni_attn_stride tni_attn_bhs(int64_t s, int64_t h, int64_t d)
{
    return (tni_attn_stride){.b = s * h * d, .h = s * d, .s = d};
}

#define DEFINE_PUT(NAME, T)                                                    \
    void NAME(T *cache, int64_t cap, int64_t at, const T *x,                   \
              tni_attn_stride st, const T *bias, int64_t batch, int64_t heads, \
              int64_t s, int64_t d)                                            \
    {                                                                          \
        for (int64_t u = 0; u < batch * heads * s; u++) {                      \
            const int64_t bh = u / s, i = u % s;                               \
            const int64_t b = bh / heads, h = bh % heads;                      \
            const T *const from = x + b * st.b + h * st.h + i * st.s;          \
            T *const to = cache + (bh * cap + at + i) * d;                     \
            memcpy(to, from, (size_t)d * sizeof(T));                           \
            if (bias != NULL)                                                  \
                for (int64_t k = 0; k < d; k++) to[k] += bias[h * d + k];      \
        }                                                                      \
    }

DEFINE_PUT(tni_attn_put_f64, double)
DEFINE_PUT(tni_attn_put_f32, float)

tn_status tni_attn_bias_strides(tni_attn_bias *bias, int rank,
                                const int64_t *dims, const int64_t *want,
                                tn_err *err)
{
    int64_t stride = 1;
    bias->len = want[3];
    for (int i = 3; i >= 0; i--) {
        const int a = i - (4 - rank);
        const int64_t d = a < 0 ? 1 : dims[a];
        if (rank > 4 || (i < 3 && d != 1 && d != want[i]) ||
            (i == 3 && d > want[3]))
            return tni_fail(err, TN_EINVAL,
                            "mask extent %lld of axis %d does not broadcast "
                            "to %lld",
                            (long long)d, a, (long long)want[i]);
        bias->stride[i] = d == 1 && want[i] != 1 && i < 3 ? 0 : stride;
        if (i == 3) {
            /* One column repeats; fewer columns end early. */
            bias->stride[3] = d == 1 && want[3] != 1 ? 0 : 1;
            if (bias->stride[3] != 0) bias->len = d;
        }
        stride *= d;
    }
    return TN_OK;
}

/* --- masks ---------------------------------------------------------------- */

/* Adds every mask of query (b, h, i) to row; true when one allows a key. */
#define DEFINE_BIAS(NAME, T)                                                   \
    static bool NAME(const tni_attn *a, int64_t b, int64_t h, int64_t i,       \
                     T *row)                                                   \
    {                                                                          \
        const int64_t at =                                                     \
            i + (a->offsets != NULL ? a->offsets[b] : a->offset);              \
        const T none = -(T)INFINITY;                                           \
        bool any = false;                                                      \
        for (int64_t j = 0; j < a->kv_len; j++) row[j] = 0;                    \
        for (int k = 0; k < 2; k++) {                                          \
            const tni_attn_bias *const m = &a->bias[k];                        \
            const T *p = (const T *)m->data;                                   \
            if (p == NULL) continue;                                           \
            p += b * m->stride[0] + h * m->stride[1] + i * m->stride[2];       \
            for (int64_t j = 0; j < m->len; j++)                               \
                row[j] += p[j * m->stride[3]];                                 \
            for (int64_t j = m->len; j < a->kv_len; j++) row[j] = none;        \
        }                                                                      \
        if (a->causal)                                                         \
            for (int64_t j = at < 0 ? 0 : at + 1; j < a->kv_len; j++)          \
                row[j] = (T)a->causal_value;                                   \
        if (a->left >= 0)                                                      \
            for (int64_t j = 0; j < at - a->left && j < a->kv_len; j++)        \
                row[j] = none;                                                 \
        if (a->right >= 0)                                                     \
            for (int64_t j = at + a->right < 0 ? 0 : at + a->right + 1;        \
                 j < a->kv_len; j++)                                           \
                row[j] = none;                                                 \
        if (a->kv_valid != NULL)                                               \
            for (int64_t j = a->kv_valid[b] < 0 ? 0 : a->kv_valid[b];          \
                 j < a->kv_len; j++)                                           \
                row[j] = none;                                                 \
        for (int64_t j = 0; j < a->kv_len; j++) any |= row[j] > none;          \
        return any;                                                            \
    }

DEFINE_BIAS(bias_f64, double)
DEFINE_BIAS(bias_f32, float)

static bool has_bias(const tni_attn *a)
{
    return a->bias[0].data != NULL || a->bias[1].data != NULL || a->causal ||
           a->left >= 0 || a->right >= 0 || a->kv_valid != NULL;
}

/* --- reference ------------------------------------------------------------ */

static void softmax_f64(const tni_attn *a, int64_t h, double *s)
{
    const double extra = a->sink != NULL ? a->sink[h] : 0;
    const bool more = a->smooth || a->sink != NULL;
    double max = -(double)INFINITY, sum = 0;
    for (int64_t j = 0; j < a->kv_len; j++)
        if (s[j] > max) max = s[j];
    if (more && extra > max) max = extra;
    for (int64_t j = 0; j < a->kv_len; j++) {
        s[j] = exp(s[j] - max);
        sum += s[j];
    }
    if (more) sum += exp(extra - max);
    for (int64_t j = 0; j < a->kv_len; j++) s[j] /= sum;
}

void tni_attn_ref(const tni_attn *a, const double *q, const double *k,
                  const double *v, double *y, double *qk, double *scratch)
{
    const int64_t group = a->kv_heads == 0 ? 1 : a->heads / a->kv_heads;
    double *const s = scratch, *const bias = scratch + a->kv_len;
    for (int64_t u = 0; u < a->batch * a->heads * a->q_len; u++) {
        const int64_t b = u / (a->heads * a->q_len);
        const int64_t h = u / a->q_len % a->heads, i = u % a->q_len;
        const double *const qi = q + b * a->q.b + h * a->q.h + i * a->q.s;
        const double *const kh = k + b * a->k.b + h / group * a->k.h;
        const double *const vh = v + b * a->v.b + h / group * a->v.h;
        double *const yi = y + b * a->y.b + h * a->y.h + i * a->y.s;
        double *const out = qk == NULL ? NULL : qk + u * a->kv_len;
        const size_t bytes = (size_t)a->kv_len * sizeof(double);
        for (int64_t j = 0; j < a->kv_len; j++) {
            double sum = 0;
            for (int64_t d = 0; d < a->dim; d++)
                sum += qi[d] * kh[j * a->k.s + d];
            s[j] = sum * a->scale;
        }
        if (out != NULL && a->qk == TNI_ATTN_QK_SCORES) memcpy(out, s, bytes);
        if (a->softcap > 0)
            for (int64_t j = 0; j < a->kv_len; j++)
                s[j] = a->softcap * tanh(s[j] / a->softcap);
        if (out != NULL && a->qk == TNI_ATTN_QK_CAPPED) memcpy(out, s, bytes);
        const bool any = bias_f64(a, b, h, i, bias);
        for (int64_t j = 0; j < a->kv_len; j++) s[j] += bias[j];
        if (out != NULL && a->qk == TNI_ATTN_QK_BIASED) memcpy(out, s, bytes);
        if (a->zero_masked && !any)
            for (int64_t j = 0; j < a->kv_len; j++) s[j] = 0;
        else
            softmax_f64(a, h, s);
        if (out != NULL && a->qk == TNI_ATTN_QK_SOFTMAX) memcpy(out, s, bytes);
        for (int64_t d = 0; d < a->v_dim; d++) yi[d] = 0;
        for (int64_t j = 0; j < a->kv_len; j++)
            for (int64_t d = 0; d < a->v_dim; d++)
                yi[d] += s[j] * vh[j * a->v.s + d];
    }
}

/* --- f32 plan ------------------------------------------------------------- */

/* Queries of a task. Keys are packed once for each, so long blocks are better
 * until the scores leave the second level cache. */
static int64_t block_of(const tni_attn *a)
{
    const int64_t n = a->kv_len <= 1024 ? 128 : 64;
    return a->q_len < n ? a->q_len : n;
}

struct tni_attn_plan {
    const struct tni_kernels *kernels;
    tni_gemm_plan qk[2], pv[2];  /* of a whole block and of the last */
    int64_t block, blocks, last; /* queries of a block, of the last one */
    size_t scores;               /* floats of a worker's scores, 64-aligned */
    size_t per_worker;           /* floats */
};

static tni_gemm qk_gemm(const tni_attn *a, int64_t rows)
{
    return (tni_gemm){.m = (size_t)rows,
                      .n = (size_t)a->kv_len,
                      .k = (size_t)a->dim,
                      .lda = (size_t)a->q.s,
                      .ldb = (size_t)a->k.s,
                      .b_trans = true,
                      .ldc = (size_t)a->kv_len};
}

static tni_gemm pv_gemm(const tni_attn *a, int64_t rows)
{
    return (tni_gemm){.m = (size_t)rows,
                      .n = (size_t)a->v_dim,
                      .k = (size_t)a->kv_len,
                      .lda = (size_t)a->kv_len,
                      .ldb = (size_t)a->v.s,
                      .ldc = (size_t)a->y.s};
}

static bool round_floats(size_t *n)
{
    return tni_align_up(*n, 16, n);
}

tn_status tni_attn_plan_make(tni_attn_plan **out, size_t *scratch_bytes,
                             const tni_attn *a,
                             const struct tni_kernels *kernels, int n_workers,
                             tni_arena *arena, tn_err *err)
{
    tni_attn_plan *const p = TNI_NEW(arena, tni_attn_plan);
    const int64_t whole = block_of(a);
    size_t gemm = 0, bytes = 0;
    static const float any = 0;
    if (p == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    p->kernels = kernels;
    p->block = whole;
    p->blocks = whole == 0 ? 0 : (a->q_len + whole - 1) / whole;
    p->last = whole == 0 ? 0 : a->q_len - (p->blocks - 1) * whole;
    for (int i = 0; i < 2; i++) {
        tni_gemm g = qk_gemm(a, i == 0 ? whole : p->last);
        g.a = g.b = &any;
        tni_gemm_plan_init(&p->qk[i], &kernels->gemm, &g);
        g = pv_gemm(a, i == 0 ? whole : p->last);
        g.a = g.b = &any;
        tni_gemm_plan_init(&p->pv[i], &kernels->gemm, &g);
        if (p->qk[i].scratch_len > gemm) gemm = p->qk[i].scratch_len;
        if (p->pv[i].scratch_len > gemm) gemm = p->pv[i].scratch_len;
    }
    /* Scores of the block, one bias row, then the multiplication's own. */
    if (!tni_mul_size((size_t)whole + 1, (size_t)a->kv_len, &p->scores) ||
        !round_floats(&p->scores) || !round_floats(&gemm) ||
        !tni_add_size(p->scores, gemm, &p->per_worker) ||
        !tni_mul_size(p->per_worker, (size_t)n_workers * sizeof(float), &bytes))
        return tni_fail(err, TN_ELIMIT, "attention scratch is too large");
    *scratch_bytes = bytes;
    *out = p;
    return TN_OK;
}

typedef struct attn_job {
    const tni_attn_plan *p;
    const tni_attn *a;
    const float *q, *k, *v;
    float *y, *scratch;
} attn_job;

static void run_gemm(const tni_attn_plan *p, const tni_gemm_plan *gp,
                     const tni_gemm *g, float alpha, float *scratch)
{
    tni_epilogue epi = TNI_EPILOGUE_NONE;
    epi.alpha = alpha;
    for (size_t t = 0; t < tni_gemm_tasks(gp); t++)
        tni_gemm_task(&p->kernels->gemm, gp, g, &epi, t, scratch);
}

/* Softmax with one more score in the denominator. */
static void softmax_sink(const tni_attn *a, int64_t h, float *s)
{
    const float extra = a->sink != NULL ? (float)a->sink[h] : 0.0f;
    float max = extra;
    double sum;
    for (int64_t j = 0; j < a->kv_len; j++) max = s[j] > max ? s[j] : max;
    sum = exp((double)extra - (double)max);
    for (int64_t j = 0; j < a->kv_len; j++) {
        s[j] = expf(s[j] - max);
        sum += (double)s[j];
    }
    for (int64_t j = 0; j < a->kv_len; j++) s[j] = (float)((double)s[j] / sum);
}

/* Is what is added to the scores the same for every query? */
static bool rows_alike(const tni_attn *a)
{
    return !a->causal && a->left < 0 && a->right < 0 &&
           (a->bias[0].data == NULL || a->bias[0].stride[2] == 0) &&
           (a->bias[1].data == NULL || a->bias[1].stride[2] == 0);
}

static void score_rows(const attn_job *j, int64_t b, int64_t h, int64_t first,
                       int64_t rows, float *s)
{
    const tni_attn *const a = j->a;
    const tni_kernels *const ker = j->p->kernels;
    const size_t n = (size_t)a->kv_len;
    float *const bias = s + (size_t)rows * n;
    const bool masked = has_bias(a);
    const bool more = a->smooth || a->sink != NULL;
    if (!masked && !more && a->softcap <= 0) {
        ker->softmax.rows[TNI_SOFTMAX](s, s, (size_t)rows, n);
        return;
    }
    bool any = true;
    if (masked && rows_alike(a)) {
        any = bias_f32(a, b, h, first, bias);
        if ((any || !a->zero_masked) && !more && a->softcap <= 0) {
            for (int64_t i = 0; i < rows; i++)
                for (size_t k = 0; k < n; k++) s[(size_t)i * n + k] += bias[k];
            ker->softmax.rows[TNI_SOFTMAX](s, s, (size_t)rows, n);
            return;
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        float *const row = s + (size_t)i * n;
        if (a->softcap > 0) {
            const float cap = (float)a->softcap;
            for (size_t k = 0; k < n; k++) row[k] /= cap;
            ker->unary.f32[TNI_UNARY_TANH](row, row, n, NULL);
            for (size_t k = 0; k < n; k++) row[k] *= cap;
        }
        if (masked) {
            any = bias_f32(a, b, h, first + i, bias);
            for (size_t k = 0; k < n; k++) row[k] += bias[k];
        }
        if (a->zero_masked && !any)
            memset(row, 0, n * sizeof *row);
        else if (more)
            softmax_sink(a, h, row);
        else
            ker->softmax.rows[TNI_SOFTMAX](row, row, 1, n);
    }
}

static void attn_task(void *ctx, size_t begin, size_t end, int worker)
{
    const attn_job *const j = (const attn_job *)ctx;
    const tni_attn *const a = j->a;
    const tni_attn_plan *const p = j->p;
    const int64_t group = a->heads / a->kv_heads;
    float *const s = j->scratch + (size_t)worker * p->per_worker;
    for (size_t t = begin; t < end; t++) {
        const int64_t block = (int64_t)t % p->blocks;
        const int64_t bh = (int64_t)t / p->blocks;
        const int64_t b = bh / a->heads, h = bh % a->heads;
        const int64_t first = block * p->block;
        const int tail = block == p->blocks - 1;
        const int64_t rows = tail ? p->last : p->block;
        tni_gemm g = qk_gemm(a, rows);
        g.a = j->q + b * a->q.b + h * a->q.h + first * a->q.s;
        g.b = j->k + b * a->k.b + h / group * a->k.h;
        g.c = s;
        run_gemm(p, &p->qk[tail], &g, (float)a->scale, s + p->scores);
        score_rows(j, b, h, first, rows, s);
        g = pv_gemm(a, rows);
        g.a = s;
        g.b = j->v + b * a->v.b + h / group * a->v.h;
        g.c = j->y + b * a->y.b + h * a->y.h + first * a->y.s;
        run_gemm(p, &p->pv[tail], &g, 1.0f, s + p->scores);
    }
}

void tni_attn_run(const tni_attn_plan *p, const tni_attn *a, const float *q,
                  const float *k, const float *v, float *y, void *scratch,
                  const tni_par *par)
{
    attn_job j = {p, a, q, k, v, y, (float *)scratch};
    if (a->v_dim == 0) return;
    tni_par_for(par, (size_t)(a->batch * a->heads * p->blocks), attn_task, &j);
}
