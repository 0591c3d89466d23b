/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_matmul_n_bits.c - com.microsoft MatMulNBits
 *
 * Shapes:  A[…, K], B[N, blocks, block_size * bits / 8], scales of N * blocks,
 *          zero points of the same count, packed or real, bias[N]? -> y[…, N]
 * Types:   A, scales, bias f32, f16, bf16; B u8, the first weight in the low
 *          bits
 * Errors:  EUNSUPPORTED g_idx; EINVAL sizes that do not fit
 * Numeric: weights (q - zero) * scale; sums in double, one rounding
 * Source:  ONNX Runtime docs/ContribOperators.md
 */
#include "base/checked.h"
#include "ops/nn.h"

#include <string.h>

typedef struct spec {
    int64_t k, n, blocks, block;
    int bits;
    int64_t row_bytes, zero_bytes; /* of one column of the output */
} spec;

static tn_status read_spec(spec *s, const tni_node *node, tn_err *err)
{
    s->k = tni_attr_int(node, "K", 0);
    s->n = tni_attr_int(node, "N", 0);
    s->block = tni_attr_int(node, "block_size", 0);
    const int64_t bits = tni_attr_int(node, "bits", 4);
    if (s->k < 1 || s->n < 1 || s->k > INT32_MAX || s->n > INT32_MAX ||
        s->block < 16 || s->block > 65536 || (s->block & (s->block - 1)) != 0)
        return tni_fail(err, TN_EINVAL,
                        "K is %lld, N %lld, block_size %lld (a power of two "
                        "from 16 on)",
                        (long long)s->k, (long long)s->n, (long long)s->block);
    if (bits != 2 && bits != 4 && bits != 8)
        return tni_fail(err, TN_EUNSUPPORTED, "%lld bits", (long long)bits);
    s->bits = (int)bits;
    s->blocks = (s->k + s->block - 1) / s->block;
    s->row_bytes = s->blocks * (s->block * bits / 8);
    s->zero_bytes = (s->blocks * bits + 7) / 8;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    spec s;
    TN_TRY(read_spec(&s, c->node, c->err));
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    if (!tni_infer_ranked(c, 0)) {
        tni_infer_unranked(c, 0, dtype);
        return TN_OK;
    }
    const tni_type *a = c->in[0];
    int64_t dims[TN_MAX_RANK];
    if (a->rank < 1 ||
        (a->dims[a->rank - 1] >= 0 && a->dims[a->rank - 1] != s.k))
        return tni_fail(c->err, TN_EINVAL, "A does not end in K = %lld",
                        (long long)s.k);
    memcpy(dims, a->dims, sizeof dims);
    dims[a->rank - 1] = s.n;
    return tni_infer_dims(c, 0, dtype, a->rank, dims);
}

typedef struct job {
    spec s;
    const uint8_t *b, *zero;
    const double *a, *scales, *real_zero, *bias;
    double *y, *rows; /* rows: k doubles per worker */
    int64_t m;
} job;

static int bits_at(const uint8_t *p, int64_t i, int bits)
{
    const int64_t at = i * bits;
    return (p[at >> 3] >> (at & 7)) & ((1 << bits) - 1);
}

static void columns(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const spec *s = &q->s;
    double *w = q->rows + worker * s->k;
    for (size_t col = begin; col < end; col++) {
        const int64_t j = (int64_t)col;
        const uint8_t *packed = q->b + j * s->row_bytes;
        for (int64_t k = 0; k < s->k; k++) {
            const int64_t block = k / s->block, at = j * s->blocks + block;
            double zero = (double)(1 << (s->bits - 1));
            if (q->real_zero != NULL)
                zero = q->real_zero[at];
            else if (q->zero != NULL)
                zero = bits_at(q->zero + j * s->zero_bytes, block, s->bits);
            w[k] = (bits_at(packed, k, s->bits) - zero) * q->scales[at];
        }
        for (int64_t i = 0; i < q->m; i++) {
            double sum = q->bias != NULL ? q->bias[j] : 0.0;
            for (int64_t k = 0; k < s->k; k++) sum += q->a[i * s->k + k] * w[k];
            q->y[i * s->n + j] = sum;
        }
    }
}

static tn_status check_len(const tni_tensor *t, const char *what, int64_t len,
                           tn_err *err)
{
    if (t->len == len) return TN_OK;
    return tni_fail(err, TN_EINVAL, "%s has %lld values, expected %lld", what,
                    (long long)t->len, (long long)len);
}

static tn_status ref(tni_ref *c)
{
    job q;
    memset(&q, 0, sizeof q);
    TN_TRY(read_spec(&q.s, c->node, c->err));
    const spec *s = &q.s;
    const tni_tensor *a = c->in[0];
    if (a->rank < 1 || a->dims[a->rank - 1] != s->k)
        return tni_fail(c->err, TN_EINVAL, "A does not end in K = %lld",
                        (long long)s->k);
    if (tni_ref_has(c, 4)) return tni_fail(c->err, TN_EUNSUPPORTED, "g_idx");
    TN_TRY(check_len(c->in[1], "B", s->n * s->row_bytes, c->err));
    TN_TRY(check_len(c->in[2], "scales", s->n * s->blocks, c->err));
    TN_TRY(tni_nn_load(c, a, &q.a));
    TN_TRY(tni_nn_load(c, c->in[2], &q.scales));
    q.b = c->in[1]->data;
    if (tni_ref_has(c, 3)) {
        const tni_tensor *zero = c->in[3];
        const bool packed = zero->dtype == TN_U8;
        TN_TRY(check_len(zero, "zero_points",
                         s->n * (packed ? s->zero_bytes : s->blocks), c->err));
        if (packed)
            q.zero = zero->data;
        else
            TN_TRY(tni_nn_load(c, zero, &q.real_zero));
    }
    if (tni_ref_has(c, 5)) {
        TN_TRY(check_len(c->in[5], "bias", s->n, c->err));
        TN_TRY(tni_nn_load(c, c->in[5], &q.bias));
    }
    int64_t dims[TN_MAX_RANK], len = 0;
    memcpy(dims, a->dims, sizeof dims);
    dims[a->rank - 1] = s->n;
    TN_TRY(tni_ref_output(c, 0, a->dtype, a->rank, dims));
    TN_TRY(tni_nn_open(c, 0, &q.y));
    q.m = a->len / s->k;
    if (!tni_mul_i64(s->k, tni_par_workers(c->par), &len))
        return tni_ref_nomem(c);
    q.rows = tni_nn_doubles(c, len);
    if (q.rows == NULL) return tni_ref_nomem(c);
    tni_par_for(c->par, (size_t)s->n, columns, &q);
    tni_nn_store(c, 0, q.y);
    return TN_OK;
}

#define REALS (TNI_T(TN_F32) | TNI_T(TN_F16) | TNI_T(TN_BF16))

static const tni_arg in[] = {
    {"A", REALS, 'T', 0},
    {"B", TNI_T(TN_U8), 0, 0},
    {"scales", REALS, 'T', 0},
    {"zero_points", REALS | TNI_T(TN_U8), 0, TNI_OPTIONAL},
    {"g_idx", TNI_T(TN_I32), 0, TNI_OPTIONAL},
    {"bias", REALS, 'T', TNI_OPTIONAL},
};
static const tni_arg out[] = {{"Y", REALS, 'T', 0}};
static const tni_attr_spec attrs[] = {
    {"K", TNI_ATTR_INT, "required"},          {"N", TNI_ATTR_INT, "required"},
    {"accuracy_level", TNI_ATTR_INT, "0"},    {"bits", TNI_ATTR_INT, "4"},
    {"block_size", TNI_ATTR_INT, "required"},
};

static const tni_op_version versions[] = {
    {.since = 1,
     TNI_IN(in),
     TNI_OUT(out),
     TNI_ATTRS(attrs),
     .infer = infer,
     .ref = ref},
};

const tni_op tni_op_matmul_n_bits = {
    .domain = "com.microsoft",
    .name = "MatMulNBits",
    .summary = "product with weights of 2, 4 or 8 bits in blocks",
    TNI_VERSIONS(versions)};
