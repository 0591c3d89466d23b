/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integer_dense.c - products of many rows by one constant matrix of integers
 *
 * The rows are pixels and the matrix a kernel of one element of
 * kernels/qconv/qconv.h, packed once. Scales, zero points and the bias may be
 * computed by the model: what follows from them is a few sums per column, done
 * at every run.
 */
#include "base/checked.h"
#include "ops/integer.h"

#include <string.h>

typedef struct dense {
    tni_int_roles roles;
    tni_qconv_plan plan;
    const void *packed;
    const int32_t *sums;
    size_t n;
    float alpha;
    tn_dtype dtype;
    int n_in;
} dense;

static const tni_tensor *at(const tni_tensor *const *in, int n_in, int i)
{
    return i >= 0 && i < n_in ? in[i] : NULL;
}

static bool has_len(const tni_plan *c, int i, int64_t len)
{
    int64_t n = 0;
    if (i < 0 || i >= c->n_in || c->in[i] == NULL) return true;
    return tni_dims_len(&n, c->in[i]->rank, c->in[i]->dims) &&
           (n == 1 || n == len);
}

/* One matrix B known now, rows of A one after another, and nothing that
 * differs from row to row. */
static bool applies(const tni_plan *c, const tni_int_roles *r,
                    const tni_product *p, int64_t rows)
{
    int64_t a = 0, b = 0;
    const tni_type *bias =
        r->bias >= 0 && r->bias < c->n_in ? c->in[r->bias] : NULL;
    const tni_type *ta = c->in[r->a], *tb = c->in[r->b];
    const bool zero_known = r->b_zero < 0 || r->b_zero >= c->n_in ||
                            c->in[r->b_zero] == NULL ||
                            c->in_const[r->b_zero] != NULL;
    return c->in_const[r->b] != NULL && zero_known && !p->a_trans &&
           p->lda == p->k && tni_dims_len(&a, ta->rank, ta->dims) &&
           tni_dims_len(&b, tb->rank, tb->dims) && b == p->k * p->n &&
           a == rows * p->k && a > 0 && b > 0 && has_len(c, r->a_zero, 1) &&
           has_len(c, r->a_scale, 1) && has_len(c, r->b_zero, p->n) &&
           has_len(c, r->b_scale, p->n) && has_len(c, r->y_scale, 1) &&
           has_len(c, r->y_zero, 1) && has_len(c, r->bias, p->n) &&
           (bias == NULL || bias->dtype == TN_I32 || bias->dtype == TN_F32) &&
           c->out[0] != NULL && c->out[0]->dtype != TN_F16;
}

/* The scale of column i, in the order of operations of the general way. */
static float scale_of(const dense *s, const tni_tensor *sa,
                      const tni_tensor *sb, float sy, size_t i)
{
    const float a = sa != NULL ? (float)tni_get_f64(sa, 0) : 1.0f;
    const int64_t k = sb != NULL && sb->len > 1 ? (int64_t)i : 0;
    const float b = sb != NULL ? (float)tni_get_f64(sb, k) : 1.0f;
    return s->alpha * a * b / sy;
}

static void set_end(const dense *s, tni_qconv_end *e, int32_t *bias,
                    float *scale, float *add, const tni_tensor *const *in,
                    int x_zero)
{
    const tni_int_roles *r = &s->roles;
    const tni_tensor *sa = at(in, s->n_in, r->a_scale);
    const tni_tensor *sb = at(in, s->n_in, r->b_scale);
    const tni_tensor *sy = at(in, s->n_in, r->y_scale);
    const tni_tensor *zy = at(in, s->n_in, r->y_zero);
    const tni_tensor *b = at(in, s->n_in, r->bias);
    const float y_scale = sy != NULL ? (float)tni_get_f64(sy, 0) : 1.0f;
    const int least = s->dtype == TN_I8 ? -128 : 0;
    e->bias = bias;
    e->scale = scale;
    e->add = b != NULL && b->dtype == TN_F32 ? add : NULL;
    e->out = s->dtype == TN_I32   ? TNI_QCONV_I32
             : s->dtype == TN_F32 ? TNI_QCONV_F32
                                  : TNI_QCONV_BYTES;
    e->zero = zy != NULL ? (int32_t)tni_get_i64(zy, 0) : 0;
    e->lo = (float)(least - e->zero);
    e->hi = (float)(least + 255 - e->zero);
    tni_qconv_bias(&s->plan, bias, NULL, s->sums, x_zero);
    for (size_t i = 0; i < s->plan.oc_len; i++) {
        const bool real = i < s->n;
        scale[i] = real ? scale_of(s, sa, sb, y_scale, i) : 0.0f;
        add[i] = 0.0f;
        if (b == NULL || !real) continue;
        const int64_t k = b->len > 1 ? (int64_t)i : 0;
        if (b->dtype == TN_F32)
            add[i] = (float)tni_get_f64(b, k);
        else
            bias[i] = (int32_t)((uint32_t)bias[i] +
                                (uint32_t)TNI_CDATA(int32_t, b)[k]);
    }
}

static void run(const tni_run *c)
{
    const dense *s = c->state;
    const size_t len = s->plan.oc_len;
    int32_t *bias = c->scratch;
    float *scale = (float *)(void *)(bias + len), *add = scale + len;
    const tni_tensor *zero = at(c->in, s->n_in, s->roles.a_zero);
    const int x_zero = zero != NULL ? (int)tni_get_i64(zero, 0) : 0;
    tni_qconv_end e;
    set_end(s, &e, bias, scale, add, c->in, x_zero);
    tni_qconv_run(&s->plan, c->in[s->roles.a]->data, x_zero, s->packed, &e,
                  c->out[0]->data, (char *)(add + len), c->par);
}

/* Packed weights and their sums in one block of the session's. */
static tn_status pack(tni_plan *c, dense *s, const tni_qconv_weights *w)
{
    size_t from, size, sums;
    bool fresh = false;
    if (!tni_align_up(s->plan.packed_bytes, TNI_ALIGN, &from) ||
        !tni_mul_size(s->plan.oc_len, sizeof(int32_t), &sums) ||
        !tni_add_size(from, sums, &size))
        return tni_fail(c->err, TN_ELIMIT, "the weights are too large");
    char *block = c->prepack(c, 1, size, &fresh);
    if (block == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (fresh)
        tni_qconv_pack(&s->plan, block, (int32_t *)(void *)(block + from), w);
    s->packed = block;
    s->sums = (const int32_t *)(const void *)(block + from);
    return TN_OK;
}

tn_status tni_int_dense_plan(tni_plan *c, const tni_int_roles *r,
                             const tni_product *p, int64_t rows)
{
    if (!applies(c, r, p, rows)) return TN_OK;
    const tni_tensor *b = c->in_const[r->b];
    const tni_tensor *zb = at(c->in_const, c->n_in, r->b_zero);
    dense *s = TNI_NEW(c->arena, dense);
    int32_t *zero = TNI_NEW_ARRAY(c->arena, int32_t, p->n + 1);
    if (s == NULL || zero == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    for (int64_t i = 0; zb != NULL && i < zb->len; i++)
        zero[i] = (int32_t)tni_get_i64(zb, i);
    const size_t ld = (size_t)p->ldb;
    const tni_qconv_weights w = {.w = c->weights(c, r->b, 0, (size_t)b->len),
                                 .o_step = p->b_trans ? ld : 1,
                                 .c_step = p->b_trans ? 1 : ld,
                                 .is_signed = b->dtype == TN_I8,
                                 .zero = zero,
                                 .zero_step = zb != NULL && zb->len > 1};
    const tni_qconv_shape shape = {1,
                                   1,
                                   (size_t)p->k,
                                   (size_t)p->n,
                                   {(size_t)rows, 1},
                                   {(size_t)rows, 1},
                                   {1, 1},
                                   {1, 1},
                                   {1, 1},
                                   {0, 0}};
    if (!tni_qconv_plan_for(&s->plan, &c->kernels->qconv, &shape, &w,
                            c->in[r->a]->dtype == TN_I8, c->n_workers))
        return TN_OK;
    s->roles = *r;
    s->n = (size_t)p->n;
    s->alpha = tni_attr_float(c->node, "alpha", 1.0f);
    s->dtype = c->out[0]->dtype;
    s->n_in = c->n_in;
    TN_TRY(pack(c, s, &w));
    c->packed |= 1u << r->b;
    size_t bytes;
    if (!tni_mul_size(s->plan.worker_bytes, (size_t)c->n_workers, &bytes) ||
        !tni_add_size(bytes, 12 * s->plan.oc_len, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "scratch is too large");
    c->state = s;
    c->run = run;
    return TN_OK;
}
