/* SPDX-License-Identifier: Apache-2.0 */
/* gelu.c - the two forms of GELU, plain and after a bias */
#include "ops/gelu.h"

#include <math.h>

TNI_MAP_LOOP(erf_f32, float, float, 0.5f * x * (1.0f + erff(x * 0.70710678f)))
TNI_MAP_LOOP(erf_f64, double, double,
             0.5 * x * (1.0 + erf(x * 0.70710678118654752)))

/* sqrt(2 / pi) (x + 0.044715 x^3) */
TNI_MAP_LOOP(tanh_f32, float, float,
             0.5f * x *
                 (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x))))
TNI_MAP_LOOP(tanh_f64, double, double,
             0.5 * x *
                 (1.0 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x))))

const tni_ew_map tni_gelu_erf = {
    .fn = {TNI_LOOPS_FLOAT(erf)},
    .has_kernel = true,
    .kernel = TNI_UNARY_GELU_ERF,
};
const tni_ew_map tni_gelu_tanh = {
    .fn = {TNI_LOOPS_FLOAT(tanh)},
    .has_kernel = true,
    .kernel = TNI_UNARY_GELU_TANH,
};

TNI_ZIP_LOOP(add_f32, float, float, float, x + y)
TNI_ZIP_LOOP(add_f64, double, double, double, x + y)

tn_status tni_gelu_bias_infer(tni_infer *c)
{
    if (tni_infer_ranked(c, 0) && tni_infer_ranked(c, 1)) {
        const tni_type *x = c->in[0], *b = c->in[1];
        int64_t merged = 0;
        if (x->rank < 1 || b->rank != 1 ||
            !tni_dim_equal(&merged, x->dims[x->rank - 1], b->dims[0]))
            return tni_fail(c->err, TN_EINVAL,
                            "the bias must be one number for each element of "
                            "the last dimension");
    }
    return tni_infer_unary(c);
}

enum { BLOCK = 256 };

typedef struct bias_job {
    const tni_ew_map *map;
    tni_unary_f32_fn kernel;
    const tni_cvt_kernels *cvt;
    tn_dtype dtype;
    size_t size, len; /* of an element; of a row */
    const char *x, *bias;
    char *y;
} bias_job;

/* The sum stays in float or double until the function was applied. */
static void bias_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const bias_job *j = ctx;
    const size_t at = (row * j->len + first) * j->size;
    if (j->dtype == TN_F64) {
        add_f64(j->y + at, j->x + at, j->bias + first * j->size, n, 1, 1, NULL);
        j->map->fn[TN_F64](j->y + at, j->y + at, n, NULL);
        return;
    }
    float x[BLOCK], bias[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        const size_t here = i * j->size;
        tni_convert(x, TN_F32, j->x + at + here, j->dtype, m, NULL);
        tni_convert(bias, TN_F32, j->bias + first * j->size + here, j->dtype, m,
                    NULL);
        add_f32(x, x, bias, m, 1, 1, NULL);
        if (j->kernel != NULL)
            j->kernel(x, x, m, NULL);
        else
            j->map->fn[TN_F32](x, x, m, NULL);
        tni_narrow(j->cvt, j->y + at + here, j->dtype, x, m);
    }
}

static void bias_start(bias_job *j, const tni_tensor *x, const tni_tensor *bias,
                       tni_tensor *y, const tni_par *par)
{
    j->x = x->data;
    j->bias = bias->data;
    j->y = y->data;
    j->dtype = x->dtype;
    j->size = tn_dtype_size(x->dtype);
    j->len = (size_t)bias->len;
    if (j->len != 0)
        tni_rows_for(par, (size_t)x->len / j->len, j->len, bias_piece, j);
}

tn_status tni_gelu_bias_ref(tni_ref *c, const tni_ew_map *map)
{
    if (!tni_ref_has(c, 1)) return tni_ew_map_ref(c, map);
    const tni_tensor *x = c->in[0], *bias = c->in[1];
    if (x->rank < 1 || bias->rank != 1 || bias->len != x->dims[x->rank - 1])
        return tni_fail(c->err, TN_EINVAL,
                        "the bias has %lld elements and the last dimension "
                        "%lld",
                        (long long)bias->len,
                        x->rank < 1 ? 0LL : (long long)x->dims[x->rank - 1]);
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    bias_job j = {.map = map};
    bias_start(&j, x, bias, c->out[0], c->par);
    return TN_OK;
}

static void bias_run(const tni_run *c)
{
    bias_job j = *(const bias_job *)c->state;
    bias_start(&j, c->in[0], c->in[1], c->out[0], c->par);
}

tn_status tni_gelu_bias_plan(tni_plan *c, const tni_ew_map *map)
{
    if (c->n_in < 2 || c->in[1] == NULL) return tni_ew_map_plan(c, map);
    if (c->out[0] == NULL) return TN_OK;
    bias_job *j = TNI_NEW(c->arena, bias_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->map = map;
    if (c->kernels != NULL) {
        j->kernel = c->kernels->unary.f32[map->kernel];
        j->cvt = &c->kernels->cvt;
    }
    c->state = j;
    c->run = bias_run;
    return TN_OK;
}
