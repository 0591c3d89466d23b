/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantize.c - QuantizeLinear and DequantizeLinear of any version
 *
 * Elements pass in blocks: to float, divided by the scale and rounded to the
 * precision asked for, then quantised; or to float, the zero point taken away
 * and multiplied by the scale, then to the output's dtype.
 */
#include "ops/qgrid.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

typedef struct quant_job {
    tni_qgrid grid;
    tn_dtype x_dtype, y_dtype, scale_dtype, zero_dtype;
    tn_dtype precision; /* quotients are rounded to it */
    bool saturate;
    size_t x_size, y_size, scale_size, zero_size;
    const tni_quant_kernels *kernels; /* f32 and 8 bits; NULL: loops */
    const char *x, *scale, *zero;     /* zero NULL: none */
    char *y;
} quant_job;

/* --- set up ------------------------------------------------------------ */

static tn_status job_init(quant_job *j, const tni_node *node,
                          const tni_shape *x, tn_dtype x_dtype,
                          const tni_shape *scale, tn_dtype scale_dtype,
                          const tni_shape *zero, tn_dtype zero_dtype,
                          tn_dtype y_dtype, tn_err *err)
{
    memset(j, 0, sizeof *j);
    TN_TRY(tni_qgrid_init(&j->grid, x, scale, tni_attr_int(node, "axis", 1),
                          tni_attr_int(node, "block_size", 0), err));
    int64_t scales = 0, zeros = 0;
    (void)tni_dims_len(&scales, scale->rank, scale->dims);
    if (zero != NULL &&
        (!tni_dims_len(&zeros, zero->rank, zero->dims) || zeros != scales))
        return tni_fail(err, TN_EINVAL,
                        "%lld zero points for %lld scales, they must be as "
                        "many",
                        (long long)zeros, (long long)scales);
    j->x_dtype = x_dtype;
    j->y_dtype = y_dtype;
    j->scale_dtype = scale_dtype;
    j->zero_dtype = zero_dtype;
    j->x_size = tn_dtype_size(x_dtype);
    j->y_size = tn_dtype_size(y_dtype);
    j->scale_size = tn_dtype_size(scale_dtype);
    j->zero_size = tn_dtype_size(zero_dtype);
    j->saturate = tni_attr_int(node, "saturate", 1) != 0;
    const int64_t precision = tni_attr_int(node, "precision", 0);
    j->precision = precision != 0 ? (tn_dtype)precision : TN_F32;
    return TN_OK;
}

static tn_status ref_init(quant_job *j, tni_ref *c, tn_dtype y_dtype)
{
    tni_shape x, scale, zero;
    tni_shape_of(&x, c->in[0]);
    tni_shape_of(&scale, c->in[1]);
    const bool has_zero = tni_ref_has(c, 2);
    if (has_zero) tni_shape_of(&zero, c->in[2]);
    return job_init(j, c->node, &x, c->in[0]->dtype, &scale, c->in[1]->dtype,
                    has_zero ? &zero : NULL, has_zero ? c->in[2]->dtype : TN_U8,
                    y_dtype, c->err);
}

static tn_status plan_init(quant_job *j, tni_plan *c)
{
    tni_shape x, scale, zero;
    tni_shape_of_type(&x, c->in[0]);
    tni_shape_of_type(&scale, c->in[1]);
    const bool has_zero = c->n_in > 2 && c->in[2] != NULL;
    if (has_zero) tni_shape_of_type(&zero, c->in[2]);
    return job_init(j, c->node, &x, c->in[0]->dtype, &scale, c->in[1]->dtype,
                    has_zero ? &zero : NULL, has_zero ? c->in[2]->dtype : TN_U8,
                    c->out[0]->dtype, c->err);
}

static void start(quant_job *j, const tni_tensor *x, const tni_tensor *scale,
                  const tni_tensor *zero, tni_tensor *y, tni_row_fn fn,
                  const tni_par *par)
{
    j->x = x->data;
    j->scale = scale->data;
    j->zero = zero != NULL ? zero->data : NULL;
    j->y = y->data;
    tni_rows_for(par, j->grid.rows, j->grid.len, fn, j);
}

/* Scales and zero points of part of a cell. */
static void load_scales(const quant_job *j, float *scale, float *zero,
                        const tni_qcell *cell, size_t skip, size_t m)
{
    const size_t at = cell->scale + skip * cell->step;
    const size_t n = cell->step != 0 ? m : 1;
    tni_convert(scale, TN_F32, j->scale + at * j->scale_size, j->scale_dtype, n,
                NULL);
    if (j->zero != NULL)
        tni_convert(zero, TN_F32, j->zero + at * j->zero_size, j->zero_dtype, n,
                    NULL);
    else
        for (size_t i = 0; i < n; i++) zero[i] = 0.0f;
}

/* --- quantize ---------------------------------------------------------- */

static void divide(const quant_job *j, float *v, const char *x, size_t m,
                   const float *scale, size_t step)
{
    if (j->x_dtype == TN_I32) {
        int32_t i32[BLOCK];
        memcpy(i32, x, m * sizeof *i32);
        for (size_t i = 0; i < m; i++)
            v[i] = (float)((double)i32[i] / (double)scale[i * step]);
    } else {
        tni_convert(v, TN_F32, x, j->x_dtype, m, NULL);
        for (size_t i = 0; i < m; i++) v[i] /= scale[i * step];
    }
    if (j->precision == TN_F16 || j->precision == TN_BF16) {
        uint16_t half[BLOCK];
        tni_convert(half, j->precision, v, TN_F32, m, NULL);
        tni_convert(v, TN_F32, half, j->precision, m, NULL);
    }
}

/* A cell of f32 to 8 bits with one scale. */
static void quantize_bytes(const quant_job *j, const tni_qcell *cell)
{
    float scale = 0.0f, zero = 0.0f;
    load_scales(j, &scale, &zero, cell, 0, 1);
    const float *x = (const float *)(const void *)j->x + cell->at;
    char *y = j->y + cell->at;
    if (j->y_dtype == TN_U8)
        j->kernels->u8_from_f32(x, (uint8_t *)y, cell->n, scale, (int)zero);
    else
        j->kernels->s8_from_f32(x, (int8_t *)y, cell->n, scale, (int)zero);
}

static void quantize_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const quant_job *j = ctx;
    tni_qcell cell;
    if (!tni_qgrid_cell(&cell, &j->grid, row, first, n)) return;
    if (j->kernels != NULL && cell.step == 0) {
        quantize_bytes(j, &cell);
        return;
    }
    float v[BLOCK], scale[BLOCK], zero[BLOCK];
    for (size_t i = 0; i < cell.n; i += BLOCK) {
        const size_t m = cell.n - i < BLOCK ? cell.n - i : BLOCK;
        if (i == 0 || cell.step != 0) load_scales(j, scale, zero, &cell, i, m);
        divide(j, v, j->x + (cell.at + i) * j->x_size, m, scale, cell.step);
        tni_quantize(j->y + (cell.at + i) * j->y_size, j->y_dtype, v, m, zero,
                     cell.step, j->saturate);
    }
}

static tn_status quantize_dtype(tn_dtype *out, const tni_node *node,
                                tn_dtype zero, tn_err *err)
{
    const int64_t asked = tni_attr_int(node, "output_dtype", 0);
    if (asked < 0 || asked >= TN_DTYPE_COUNT ||
        (asked != 0 && (TNI_QUANT_DTYPES & TNI_T(asked)) == 0))
        return tni_fail(err, TN_EUNSUPPORTED,
                        "attribute 'output_dtype' is %lld, no quantised dtype",
                        (long long)asked);
    if (asked != 0 && zero != TN_UNDEFINED && (tn_dtype)asked != zero)
        return tni_fail(err, TN_EINVAL,
                        "attribute 'output_dtype' is %s and the zero point %s",
                        tn_dtype_name((tn_dtype)asked), tn_dtype_name(zero));
    *out = zero != TN_UNDEFINED ? zero : asked != 0 ? (tn_dtype)asked : TN_U8;
    return TN_OK;
}

tn_status tni_quantize_infer(tni_infer *c)
{
    tn_dtype dtype = TN_UNDEFINED;
    /* A zero point that is there but not yet typed decides later. */
    const bool later = tni_infer_has(c, 2) && tni_infer_dtype(c, 2) == 0;
    TN_TRY(quantize_dtype(&dtype, c->node, tni_infer_dtype(c, 2), c->err));
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR)
        c->out[0].dtype = later ? TN_UNDEFINED : dtype;
    return TN_OK;
}

tn_status tni_quantize_ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tni_tensor *zero = tni_ref_has(c, 2) ? c->in[2] : NULL;
    tn_dtype dtype = TN_UNDEFINED;
    TN_TRY(quantize_dtype(&dtype, c->node,
                          zero != NULL ? zero->dtype : TN_UNDEFINED, c->err));
    quant_job j;
    TN_TRY(ref_init(&j, c, dtype));
    TN_TRY(tni_ref_output(c, 0, dtype, x->rank, x->dims));
    if (tni_ref_wants(c, 0))
        start(&j, x, c->in[1], zero, c->out[0], quantize_piece, c->par);
    return TN_OK;
}

static void quantize_run(const tni_run *c)
{
    quant_job j = *(const quant_job *)c->state;
    start(&j, c->in[0], c->in[1], j.zero_size != 0 ? c->in[2] : NULL, c->out[0],
          quantize_piece, c->par);
}

/* --- dequantize -------------------------------------------------------- */

/* A cell of 8 bits to f32 with one scale. */
static void dequantize_bytes(const quant_job *j, const tni_qcell *cell)
{
    float scale = 0.0f, zero = 0.0f;
    load_scales(j, &scale, &zero, cell, 0, 1);
    float *y = (float *)(void *)j->y + cell->at;
    const char *x = j->x + cell->at;
    if (j->x_dtype == TN_U8)
        j->kernels->f32_from_u8((const uint8_t *)x, y, cell->n, scale,
                                (int)zero);
    else
        j->kernels->f32_from_s8((const int8_t *)x, y, cell->n, scale,
                                (int)zero);
}

static void dequantize_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const quant_job *j = ctx;
    tni_qcell cell;
    if (!tni_qgrid_cell(&cell, &j->grid, row, first, n)) return;
    if (j->kernels != NULL && cell.step == 0) {
        dequantize_bytes(j, &cell);
        return;
    }
    float v[BLOCK], scale[BLOCK], zero[BLOCK];
    for (size_t i = 0; i < cell.n; i += BLOCK) {
        const size_t m = cell.n - i < BLOCK ? cell.n - i : BLOCK;
        if (i == 0 || cell.step != 0) load_scales(j, scale, zero, &cell, i, m);
        char *y = j->y + (cell.at + i) * j->y_size;
        float *to = j->y_dtype == TN_F32 ? (float *)(void *)y : v;
        tni_convert(v, TN_F32, j->x + (cell.at + i) * j->x_size, j->x_dtype, m,
                    NULL);
        if (cell.step == 0)
            for (size_t e = 0; e < m; e++) to[e] = (v[e] - zero[0]) * scale[0];
        else
            for (size_t e = 0; e < m; e++) to[e] = (v[e] - zero[e]) * scale[e];
        if (to == v) tni_convert(y, j->y_dtype, v, TN_F32, m, NULL);
    }
}

static tn_status dequantize_dtype(tn_dtype *out, const tni_node *node,
                                  tn_dtype scale, tn_err *err)
{
    const int64_t asked = tni_attr_int(node, "output_dtype", 0);
    if (asked < 0 || asked >= TN_DTYPE_COUNT ||
        (asked != 0 && (TNI_HALF_FLOATS & TNI_T(asked)) == 0))
        return tni_fail(err, TN_EUNSUPPORTED,
                        "attribute 'output_dtype' is %lld, expected float32, "
                        "float16 or bfloat16",
                        (long long)asked);
    if (asked != 0)
        *out = (tn_dtype)asked;
    else
        *out = scale == TN_F8E8M0 ? TN_F32 : scale;
    return TN_OK;
}

tn_status tni_dequantize_infer(tni_infer *c)
{
    tn_dtype dtype = TN_UNDEFINED;
    TN_TRY(dequantize_dtype(&dtype, c->node, tni_infer_dtype(c, 1), c->err));
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR)
        c->out[0].dtype = dtype;
    return TN_OK;
}

tn_status tni_dequantize_ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    tn_dtype dtype = TN_UNDEFINED;
    TN_TRY(dequantize_dtype(&dtype, c->node, c->in[1]->dtype, c->err));
    quant_job j;
    TN_TRY(ref_init(&j, c, dtype));
    TN_TRY(tni_ref_output(c, 0, dtype, x->rank, x->dims));
    if (tni_ref_wants(c, 0))
        start(&j, x, c->in[1], tni_ref_has(c, 2) ? c->in[2] : NULL, c->out[0],
              dequantize_piece, c->par);
    return TN_OK;
}

static void dequantize_run(const tni_run *c)
{
    quant_job j = *(const quant_job *)c->state;
    start(&j, c->in[0], c->in[1], j.zero_size != 0 ? c->in[2] : NULL, c->out[0],
          dequantize_piece, c->par);
}

/* --- plans ------------------------------------------------------------- */

static bool is_byte(tn_dtype dtype)
{
    return dtype == TN_U8 || dtype == TN_I8;
}

static tn_status make_plan(tni_plan *c, void (*run)(const tni_run *))
{
    if (c->out[0] == NULL) return TN_OK;
    quant_job *j = TNI_NEW(c->arena, quant_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(plan_init(j, c));
    if (c->n_in < 3 || c->in[2] == NULL) j->zero_size = 0;
    const bool to =
        is_byte(j->y_dtype) && j->x_dtype == TN_F32 && j->precision == TN_F32;
    const bool from = is_byte(j->x_dtype) && j->y_dtype == TN_F32;
    if (c->kernels != NULL && (to || from)) j->kernels = &c->kernels->quant;
    c->state = j;
    c->run = run;
    return TN_OK;
}

tn_status tni_quantize_plan(tni_plan *c)
{
    return make_plan(c, quantize_run);
}

tn_status tni_dequantize_plan(tni_plan *c)
{
    return make_plan(c, dequantize_run);
}
