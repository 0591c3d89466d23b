/* SPDX-License-Identifier: Apache-2.0 */
/* qlinear.c - com.microsoft's elementwise operators on 8-bit integers */
#include "ops/qlinear.h"

#include <string.h>

enum { BLOCK = 256 };

static tni_qlinear_param get_param(const tni_tensor *scale,
                                   const tni_tensor *zero)
{
    tni_qlinear_param p = {*TNI_CDATA(float, scale), 0.0f};
    if (zero != NULL)
        tni_convert(&p.zero, TN_F32, zero->data, zero->dtype, 1, NULL);
    return p;
}

static tn_status check_scalar(int i, int64_t len, tn_err *err)
{
    if (len == 1) return TN_OK;
    return tni_fail(err, TN_EINVAL,
                    "input %d has %lld elements, a scale or zero point per "
                    "tensor is expected",
                    i, (long long)len);
}

/* All inputs but the tensors `a` and `b` are scalars. */
static tn_status check_ref(const tni_ref *c, int b)
{
    for (int i = 1; i < c->n_in; i++)
        if (i != b && c->in[i] != NULL)
            TN_TRY(check_scalar(i, c->in[i]->len, c->err));
    return TN_OK;
}

static tn_status check_plan(const tni_plan *c, int b)
{
    for (int i = 1; i < c->n_in; i++) {
        int64_t len = 0;
        if (i == b || c->in[i] == NULL) continue;
        (void)tni_dims_len(&len, c->in[i]->rank, c->in[i]->dims);
        TN_TRY(check_scalar(i, len, c->err));
    }
    return TN_OK;
}

static const tni_tensor *optional(const tni_tensor *const *in, int n_in, int i)
{
    return i < n_in ? in[i] : NULL;
}

/* --- two inputs -------------------------------------------------------- */

const tni_arg tni_qlinear_zip_in[8] = {
    {"A", TNI_BYTES, 'T', 0},
    {"A_scale", TNI_T(TN_F32), 0, 0},
    {"A_zero_point", TNI_BYTES, 'T', TNI_OPTIONAL},
    {"B", TNI_BYTES, 'T', 0},
    {"B_scale", TNI_T(TN_F32), 0, 0},
    {"B_zero_point", TNI_BYTES, 'T', TNI_OPTIONAL},
    {"C_scale", TNI_T(TN_F32), 0, 0},
    {"C_zero_point", TNI_BYTES, 'T', TNI_OPTIONAL},
};
const tni_arg tni_qlinear_zip_out[1] = {{"C", TNI_BYTES, 'T', 0}};

typedef struct qzip_job {
    tni_qlinear_fn fn;
    tni_qlinear_codes_fn codes;
    const tni_kernels *kernels;
    tn_dtype dtype;
    int n_in;
    tni_bcast bcast;
    int64_t stride[2 * TN_MAX_RANK];
    tni_qlinear_params p;
    const char *x, *y;
    char *z;
} qzip_job;

/* m codes as floats, one code repeated when step is 0. */
static void code_row(float *to, const char *from, tn_dtype dtype, size_t m,
                     size_t step)
{
    tni_convert(to, TN_F32, from, dtype, step != 0 ? m : 1, NULL);
    if (step == 0)
        for (size_t i = 1; i < m; i++) to[i] = to[0];
}

static void qzip_piece(void *ctx, int64_t at, size_t n)
{
    const qzip_job *j = ctx;
    const size_t sx = tni_bcast_step(&j->bcast, 0);
    const size_t sy = tni_bcast_step(&j->bcast, 1);
    const char *x = j->x + tni_bcast_offset(&j->bcast, 0, at);
    const char *y = j->y + tni_bcast_offset(&j->bcast, 1, at);
    float a[BLOCK], b[BLOCK];
    if (j->codes != NULL && sx != 0 && sy != 0) {
        j->codes(j->z + (size_t)at, j->dtype, x, y, n, &j->p, j->kernels);
        return;
    }
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        code_row(a, x + i * sx, j->dtype, m, sx);
        code_row(b, y + i * sy, j->dtype, m, sy);
        j->fn(j->z + (size_t)at + i, j->dtype, a, b, m, &j->p);
    }
}

static void qzip_start(qzip_job *j, const tni_tensor *const *in,
                       tni_tensor *out, const tni_par *par)
{
    j->p.a = get_param(in[1], in[2]);
    j->p.b = get_param(in[4], in[5]);
    j->p.c = get_param(in[6], optional(in, j->n_in, 7));
    j->x = in[0]->data;
    j->y = in[3]->data;
    j->z = out->data;
    tni_bcast_for(&j->bcast, par, qzip_piece, j);
}

tn_status tni_qlinear_zip_infer(tni_infer *c)
{
    tni_infer_unranked(c, 0, tni_infer_dtype(c, 0));
    if (c->n_out < 1 || !tni_infer_ranked(c, 0) || !tni_infer_ranked(c, 3))
        return TN_OK;
    const tni_type *pair[2] = {c->in[0], c->in[3]};
    tni_infer two = *c;
    two.in = pair;
    two.n_in = 2;
    return tni_infer_broadcast_n(&two, 0, 2, 0, pair[0]->dtype);
}

tn_status tni_qlinear_zip_ref(tni_ref *c, tni_qlinear_fn fn)
{
    TN_TRY(check_ref(c, 3));
    qzip_job j = {.fn = fn, .dtype = c->in[0]->dtype, .n_in = c->n_in};
    tni_shape in[2], out;
    tni_shape_of(&in[0], c->in[0]);
    tni_shape_of(&in[1], c->in[3]);
    TN_TRY(tni_bcast_shape(&out, in, 2, c->err));
    TN_TRY(tni_ref_output(c, 0, j.dtype, out.rank, out.dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_bcast_init(&j.bcast, j.stride, &out, in, 2);
    qzip_start(&j, c->in, c->out[0], c->par);
    return TN_OK;
}

static void qzip_run(const tni_run *c)
{
    qzip_job j = *(const qzip_job *)c->state;
    qzip_start(&j, c->in, c->out[0], c->par);
}

tn_status tni_qlinear_zip_plan(tni_plan *c, tni_qlinear_fn fn,
                               tni_qlinear_codes_fn codes)
{
    TN_TRY(check_plan(c, 3));
    if (c->out[0] == NULL) return TN_OK;
    qzip_job *j = TNI_NEW(c->arena, qzip_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->fn = fn;
    j->codes = c->kernels != NULL ? codes : NULL;
    j->kernels = c->kernels;
    j->dtype = c->in[0]->dtype;
    j->n_in = c->n_in;
    tni_shape in[2], out;
    tni_shape_of_type(&in[0], c->in[0]);
    tni_shape_of_type(&in[1], c->in[3]);
    tni_shape_of_type(&out, c->out[0]);
    tni_bcast_init(&j->bcast, j->stride, &out, in, 2);
    c->state = j;
    c->run = qzip_run;
    return TN_OK;
}

/* --- one input --------------------------------------------------------- */

const tni_arg tni_qlinear_map_in[5] = {
    {"X", TNI_BYTES, 'T', 0},
    {"X_scale", TNI_T(TN_F32), 0, 0},
    {"X_zero_point", TNI_BYTES, 'T', TNI_OPTIONAL},
    {"Y_scale", TNI_T(TN_F32), 0, 0},
    {"Y_zero_point", TNI_BYTES, 'T', TNI_OPTIONAL},
};
const tni_arg tni_qlinear_map_out[1] = {{"Y", TNI_BYTES, 'T', 0}};

typedef struct qmap_job {
    tni_qlinear_real fn;
    float arg;
    int n_in;
    tn_dtype dtype;
    const uint8_t *x;
    uint8_t *y;
    uint8_t table[256]; /* by the code's byte */
} qmap_job;

static void make_table(qmap_job *j, const tni_tensor *const *in)
{
    const tni_qlinear_param x = get_param(in[1], in[2]);
    const tni_qlinear_param y = get_param(in[3], optional(in, j->n_in, 4));
    for (int i = 0; i < 256; i++) {
        const int code = j->dtype == TN_I8 && i > 127 ? i - 256 : i;
        const float real = ((float)code - x.zero) * x.scale;
        const float v = j->fn(real, j->arg) / y.scale;
        tni_quantize(&j->table[i], j->dtype, &v, 1, &y.zero, 0, true);
    }
}

static void qmap_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const qmap_job *j = ctx;
    (void)row;
    for (size_t i = first; i < first + n; i++) j->y[i] = j->table[j->x[i]];
}

static void qmap_start(qmap_job *j, const tni_tensor *const *in,
                       tni_tensor *out, const tni_par *par)
{
    make_table(j, in);
    j->x = in[0]->data;
    j->y = out->data;
    tni_rows_for(par, 1, (size_t)in[0]->len, qmap_piece, j);
}

tn_status tni_qlinear_map_infer(tni_infer *c)
{
    return tni_infer_unary(c);
}

tn_status tni_qlinear_map_ref(tni_ref *c, tni_qlinear_real fn, float arg)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(check_ref(c, 0));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    qmap_job j = {.fn = fn, .arg = arg, .n_in = c->n_in, .dtype = x->dtype};
    qmap_start(&j, c->in, c->out[0], c->par);
    return TN_OK;
}

static void qmap_run(const tni_run *c)
{
    qmap_job j = *(const qmap_job *)c->state;
    qmap_start(&j, c->in, c->out[0], c->par);
}

tn_status tni_qlinear_map_plan(tni_plan *c, tni_qlinear_real fn, float arg)
{
    TN_TRY(check_plan(c, 0));
    if (c->out[0] == NULL) return TN_OK;
    qmap_job *j = TNI_NEW(c->arena, qmap_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->fn = fn;
    j->arg = arg;
    j->n_in = c->n_in;
    j->dtype = c->in[0]->dtype;
    c->state = j;
    c->run = qmap_run;
    return TN_OK;
}
