/* SPDX-License-Identifier: Apache-2.0 */
/* integer_product.c - matrix products of 8-bit integers, see integer.h */
#include "base/checked.h"
#include "ops/integer.h"
#include "tensor/half.h"

#include <string.h>

typedef struct state {
    tni_int_roles roles;
    tni_product p;
    int64_t batches, n_b; /* products, different matrices B */
    bool a_signed, b_signed;
    tn_dtype dtype;        /* of the output */
    float alpha;           /* attribute of QGemm */
    const int16_t *packed; /* all matrices B, or NULL */
    size_t packed_len;     /* of one */
    tni_imul_tile_fn tile;
    size_t zero_at, scale_at, bias_at, pack_at, work_at; /* in scratch */
    size_t scratch_bytes;
} state;

static int64_t n_batches(const tni_product *p)
{
    int64_t n = 1;
    for (int i = 0; i < p->batch_rank; i++) n *= p->batch[i];
    return n;
}

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

static const tni_type *type_at(const tni_type *const *in, int n_in, int i)
{
    return i >= 0 && i < n_in ? in[i] : NULL;
}

static int64_t elements(const tni_type *t)
{
    int64_t n = 1;
    if (t == NULL || t->rank < 0) return -1;
    for (int i = 0; i < t->rank; i++) {
        if (t->dims[i] < 0) return -1;
        n *= t->dims[i];
    }
    return n;
}

static tn_dtype out_dtype(const tni_int_roles *r, const tni_type *const *in,
                          int n_in)
{
    if (r->a_scale < 0) return TN_I32;
    const tni_type *t = type_at(in, n_in, r->y_zero);
    if (t != NULL) return t->dtype;
    if (type_at(in, n_in, r->y_scale) != NULL) return TN_U8;
    t = type_at(in, n_in, r->a_scale);
    if (t == NULL) t = type_at(in, n_in, r->b_scale);
    return t != NULL ? t->dtype : TN_F32;
}

tn_status tni_int_product_infer(tni_infer *c, const tni_int_roles *r,
                                tni_product_view va, tni_product_view vb)
{
    tni_product p;
    int64_t dims[TN_MAX_RANK];
    const tn_dtype dtype = out_dtype(r, c->in, c->n_in);
    if (!tni_infer_ranked(c, r->a) || !tni_infer_ranked(c, r->b)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    TN_TRY(tni_product_make(&p, c->in[r->a], c->in[r->b], va, vb, c->err));
    const int rank = tni_product_dims(&p, dims);
    return tni_infer_dims(c, 0, dtype, rank, dims);
}

/* One for all, or one for every row (left) or column. */
static tn_status check_param(const tni_type *t, const char *what, int64_t per,
                             tn_err *err)
{
    const int64_t n = elements(t);
    if (t == NULL || n == 1 || n == per) return TN_OK;
    return tni_fail(err, TN_EINVAL, "%s has %lld values, expected 1 or %lld",
                    what, (long long)n, (long long)per);
}

static bool reserve(size_t *total, size_t *at, size_t n, size_t elem)
{
    size_t bytes;
    *at = *total;
    return tni_mul_size(n, elem, &bytes) &&
           tni_add_size(*total, bytes, total) &&
           tni_align_up(*total, TNI_ALIGN, total);
}

static tn_status make(state *s, const tni_int_roles *r, const tni_node *node,
                      const tni_type *const *in, int n_in, tni_product_view va,
                      tni_product_view vb, int n_workers, bool packed,
                      tn_err *err)
{
    memset(s, 0, sizeof *s);
    s->tile = tni_imul_tile__ref;
    s->alpha = tni_attr_float(node, "alpha", 1.0f);
    s->roles = *r;
    TN_TRY(tni_product_make(&s->p, in[r->a], in[r->b], va, vb, err));
    const tni_product *p = &s->p;
    s->batches = n_batches(p);
    s->n_b = p->k * p->n == 0 ? 0 : elements(in[r->b]) / (p->k * p->n);
    s->a_signed = in[r->a]->dtype == TN_I8;
    s->b_signed = in[r->b]->dtype == TN_I8;
    s->dtype = out_dtype(r, in, n_in);
    TN_TRY(check_param(type_at(in, n_in, r->a_zero), "the zero point of a",
                       p->m, err));
    TN_TRY(check_param(type_at(in, n_in, r->a_scale), "the scale of a", p->m,
                       err));
    TN_TRY(check_param(type_at(in, n_in, r->b_zero), "the zero point of b",
                       p->n, err));
    TN_TRY(check_param(type_at(in, n_in, r->b_scale), "the scale of b", p->n,
                       err));
    TN_TRY(
        check_param(type_at(in, n_in, r->y_scale), "the scale of y", 1, err));
    TN_TRY(check_param(type_at(in, n_in, r->y_zero), "the zero point of y", 1,
                       err));
    const tni_type *bias = type_at(in, n_in, r->bias);
    const int64_t n_bias = elements(bias);
    if (bias != NULL && n_bias != 1 && n_bias != p->n && n_bias != p->m * p->n)
        return tni_fail(err, TN_EINVAL, "the bias has %lld values for %lld",
                        (long long)n_bias, (long long)p->n);
    size_t total = 0;
    if (!tni_imul_packed_len(&s->packed_len, (size_t)p->k, (size_t)p->n) ||
        !reserve(&total, &s->zero_at, (size_t)(p->m + p->n), 4) ||
        !reserve(&total, &s->scale_at, (size_t)p->n + 1, 4) ||
        !reserve(&total, &s->bias_at, (size_t)p->n + 1, 4) ||
        !reserve(&total, &s->pack_at, packed ? 0 : s->packed_len, 2) ||
        !reserve(&total, &s->work_at,
                 tni_imul_scratch((size_t)p->k) * (size_t)n_workers, 2))
        return tni_fail(err, TN_ELIMIT, "the product is too large");
    s->scratch_bytes = total;
    return TN_OK;
}

/* --- running ------------------------------------------------------------ */

/* What load and store see of one matrix of the batch. */
typedef struct pass {
    const state *s;
    const void *a;
    const int32_t *a_zero;
    size_t a_zero_step;
    const tni_tensor *a_scale; /* one per row, else NULL */
    float b_scale_over_y;      /* unused when NULL above */
    tni_int_end end;
    const tni_tensor *bias; /* added to the float, or NULL */
    const int32_t *bias_full;
    const float *row_b_scale; /* with a_scale: per column or one */
    size_t row_b_step;
    float y_scale;
    void *y;
} pass;

static void load(const void *ctx, size_t row, size_t n_rows, int16_t *dst)
{
    const pass *q = ctx;
    const tni_product *p = &q->s->p;
    const size_t k = (size_t)p->k;
    const size_t rs = p->a_trans ? 1 : (size_t)p->lda;
    const size_t ks = p->a_trans ? (size_t)p->lda : 1;
    for (size_t r = 0; r < TNI_IMUL_ROWS; r++) {
        if (k % 2 != 0) dst[tni_imul_at(k, r)] = 0;
        if (r >= n_rows) {
            for (size_t i = 0; i < k; i++) dst[tni_imul_at(i, r)] = 0;
            continue;
        }
        const int32_t z = q->a_zero[(row + r) * q->a_zero_step];
        const uint8_t *u = (const uint8_t *)q->a + (row + r) * rs;
        if (q->s->a_signed)
            for (size_t i = 0; i < k; i++)
                dst[tni_imul_at(i, r)] = (int16_t)((int8_t)u[i * ks] - z);
        else
            for (size_t i = 0; i < k; i++)
                dst[tni_imul_at(i, r)] = (int16_t)(u[i * ks] - z);
    }
}

static void store(const void *ctx, size_t row, size_t col, size_t n,
                  const int32_t *acc)
{
    const pass *q = ctx;
    const size_t width = (size_t)q->s->p.n, at = row * width + col;
    tni_int_end e = q->end;
    float scale[TNI_IMUL_COLS];
    int32_t sum[TNI_IMUL_COLS];
    if (q->a_scale != NULL) {
        const float a = (float)tni_get_f64(q->a_scale, (int64_t)row);
        for (size_t i = 0; i < n; i++)
            scale[i] = q->s->alpha * a *
                       q->row_b_scale[(col + i) * q->row_b_step] / q->y_scale;
        e.scale = scale;
        e.step = 1;
    } else if (e.scale != NULL) {
        e.scale += col * e.step;
    }
    if (q->bias_full != NULL) {
        for (size_t i = 0; i < n; i++)
            sum[i] =
                (int32_t)((uint32_t)acc[i] + (uint32_t)q->bias_full[at + i]);
        acc = sum;
    }
    if (e.bias != NULL) e.bias += col;
    tni_int_finish(&e, q->y, at, 1, 0, n, acc);
    if (q->bias == NULL) return;
    for (size_t i = 0; i < n; i++) {
        const int64_t b = q->bias->len == 1 ? 0 : (int64_t)(col + i);
        if (e.dtype == TN_F32)
            ((float *)q->y)[at + i] += (float)tni_get_f64(q->bias, b);
        else
            ((uint16_t *)q->y)[at + i] =
                tni_f32_to_f16(tni_f16_to_f32(((uint16_t *)q->y)[at + i]) +
                               (float)tni_get_f64(q->bias, b));
    }
}

static const tni_tensor *at(const tni_tensor *const *in, int n_in, int i)
{
    return i >= 0 && i < n_in ? in[i] : NULL;
}

/* Zero points as integers, and whether there is one for each. */
static size_t zeros(int32_t *to, const tni_tensor *t)
{
    if (t == NULL) {
        to[0] = 0;
        return 0;
    }
    for (int64_t i = 0; i < t->len; i++) to[i] = (int32_t)tni_get_i64(t, i);
    return t->len > 1 ? 1 : 0;
}

static void set_end(pass *q, const tni_tensor *const *in, int n_in,
                    char *scratch)
{
    const state *s = q->s;
    const tni_int_roles *r = &s->roles;
    tni_int_end *e = &q->end;
    e->dtype = s->dtype;
    float *scale = (float *)(void *)(scratch + s->scale_at);
    int32_t *bias = (int32_t *)(void *)(scratch + s->bias_at);
    const tni_tensor *sa = at(in, n_in, r->a_scale);
    const tni_tensor *sb = at(in, n_in, r->b_scale);
    const tni_tensor *sy = at(in, n_in, r->y_scale);
    const tni_tensor *zy = at(in, n_in, r->y_zero);
    if (r->a_scale >= 0) {
        q->y_scale = sy != NULL ? (float)tni_get_f64(sy, 0) : 1.0f;
        const int64_t n = sb != NULL ? sb->len : 1;
        q->row_b_scale = scale;
        q->row_b_step = e->step = n > 1 ? 1 : 0;
        for (int64_t i = 0; i < n; i++) {
            const float b = sb != NULL ? (float)tni_get_f64(sb, i) : 1.0f;
            if (sa != NULL && sa->len > 1)
                scale[i] = b;
            else
                scale[i] = s->alpha *
                           (sa != NULL ? (float)tni_get_f64(sa, 0) : 1.0f) * b /
                           q->y_scale;
        }
        e->scale = scale;
        if (sa != NULL && sa->len > 1) q->a_scale = sa;
    }
    if (e->dtype == TN_U8 || e->dtype == TN_I8) {
        e->zero = zy != NULL ? (int)tni_get_i64(zy, 0) : 0;
        e->lo = (float)((e->dtype == TN_I8 ? -128 : 0) - e->zero);
        e->hi = (float)((e->dtype == TN_I8 ? 127 : 255) - e->zero);
    }
    const tni_tensor *b = at(in, n_in, r->bias);
    if (b == NULL) return;
    if (b->dtype != TN_I32) {
        q->bias = b;
    } else if (b->len == s->p.n || b->len == 1) {
        for (int64_t i = 0; i < s->p.n; i++)
            bias[i] = TNI_CDATA(int32_t, b)[b->len == 1 ? 0 : i];
        e->bias = bias;
    } else if (b->len == s->p.m * s->p.n) {
        q->bias_full = b->data;
    }
}

static void pack_one(const state *s, int16_t *to, const uint8_t *b,
                     const int32_t *zero, size_t step)
{
    const tni_product *p = &s->p;
    tni_imul_pack(to, b, s->b_signed, (size_t)p->ldb, p->b_trans, (size_t)p->k,
                  (size_t)p->n, zero, step);
}

static void run_product(const state *s, const tni_tensor *const *in, int n_in,
                        tni_tensor *y, char *scratch, const tni_par *par)
{
    const tni_product *p = &s->p;
    pass q = {.s = s};
    int32_t *za = (int32_t *)(void *)(scratch + s->zero_at);
    int32_t *zb = za + p->m;
    const size_t b_step = zeros(zb, at(in, n_in, s->roles.b_zero));
    q.a_zero_step = zeros(za, at(in, n_in, s->roles.a_zero));
    q.a_zero = za;
    set_end(&q, in, n_in, scratch);
    int16_t *fresh = (int16_t *)(void *)(scratch + s->pack_at);
    int64_t packed_for = -1;
    const size_t y_size = tn_dtype_size(s->dtype);
    for (int64_t i = 0; i < s->batches; i++) {
        int64_t a, b;
        offsets(p, i, &a, &b);
        tni_imul g = {.m = (size_t)p->m,
                      .n = (size_t)p->n,
                      .k = (size_t)p->k,
                      .tile = s->tile,
                      .load = load,
                      .store = store,
                      .ctx = &q};
        if (s->packed != NULL) {
            const int64_t which = p->k * p->n == 0 ? 0 : b / (p->k * p->n);
            g.b = s->packed + (size_t)which * s->packed_len;
        } else {
            if (packed_for != b)
                pack_one(s, fresh, TNI_CDATA(uint8_t, in[s->roles.b]) + b, zb,
                         b_step);
            packed_for = b;
            g.b = fresh;
        }
        q.a = TNI_CDATA(uint8_t, in[s->roles.a]) + a;
        q.y = (char *)y->data + (size_t)(i * p->m * p->n) * y_size;
        tni_imul_run(&g, (int16_t *)(void *)(scratch + s->work_at), par);
    }
}

tn_status tni_int_product_ref(tni_ref *c, const tni_int_roles *r,
                              tni_product_view va, tni_product_view vb)
{
    state s;
    tni_type types[16];
    const tni_type *in[16] = {NULL};
    for (int i = 0; i < c->n_in && i < 16; i++) {
        if (c->in[i] == NULL) continue;
        tni_type_of(&types[i], c->in[i]);
        in[i] = &types[i];
    }
    TN_TRY(make(&s, r, c->node, in, c->n_in, va, vb, tni_par_workers(c->par),
                false, c->err));
    int64_t dims[TN_MAX_RANK];
    const int rank = tni_product_dims(&s.p, dims);
    TN_TRY(tni_ref_output(c, 0, s.dtype, rank, dims));
    char *scratch = tni_ref_scratch(c, s.scratch_bytes);
    if (scratch == NULL) return tni_ref_nomem(c);
    run_product(&s, c->in, c->n_in, c->out[0], scratch, c->par);
    return TN_OK;
}

typedef struct planned {
    state s;
    int n_in;
} planned;

static void run(const tni_run *c)
{
    const planned *p = c->state;
    run_product(&p->s, c->in, p->n_in, c->out[0], c->scratch, c->par);
}

tn_status tni_int_product_plan(tni_plan *c, const tni_int_roles *r,
                               tni_product_view va, tni_product_view vb)
{
    const tni_tensor *b = c->in_const[r->b];
    const tni_tensor *zb = at(c->in_const, c->n_in, r->b_zero);
    const bool packed =
        b != NULL && (zb != NULL || type_at(c->in, c->n_in, r->b_zero) == NULL);
    planned *p = TNI_NEW(c->arena, planned);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    state *s = &p->s;
    p->n_in = c->n_in;
    TN_TRY(make(s, r, c->node, c->in, c->n_in, va, vb, c->n_workers, packed,
                c->err));
    if (c->kernels != NULL) {
        TN_TRY(tni_int_dense_plan(c, r, &s->p, s->batches * s->p.m));
        if (c->run != NULL) return TN_OK;
        s->tile = c->kernels->imul.tile;
    }
    size_t size = 0;
    if (packed && s->n_b > 0 &&
        tni_mul_size(s->packed_len * sizeof(int16_t), (size_t)s->n_b, &size) &&
        size > 0) {
        bool fresh = false;
        int16_t *to = c->prepack(c, 0, size, &fresh);
        int32_t *zero = TNI_NEW_ARRAY(c->arena, int32_t, s->p.n + 1);
        if (to == NULL || zero == NULL)
            return tni_fail(c->err, TN_ENOMEM, "out of memory");
        s->packed = to;
        const size_t step = zeros(zero, zb);
        const uint8_t *from =
            fresh ? c->weights(c, r->b, 0, (size_t)b->len) : NULL;
        for (int64_t i = 0; from != NULL && i < s->n_b; i++)
            pack_one(s, to + (size_t)i * s->packed_len,
                     from + i * s->p.k * s->p.n, zero, step);
        c->packed |= 1u << r->b;
    } else if (packed) {
        return TN_OK; /* nothing to multiply: the reference does */
    }
    c->state = p;
    c->scratch_bytes = s->scratch_bytes;
    c->run = run;
    return TN_OK;
}
