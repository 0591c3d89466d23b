/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cast.c - what Cast and CastLike share
 *
 * Numbers go through convert.c. A float32 or float64 becomes the shortest text
 * that reads back as itself, as in Python but without a trailing ".0"; halves
 * and smaller floats have 8 digits; NaN, INF and -INF are ONNX Runtime's.
 * Strings are read as the longest number at their start.
 */
#include "ops/cast.h"

#include "base/num.h"
#include "ops/elementwise.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 32 };

tn_status tni_cast_mode(tni_convert_mode *mode, const tni_node *node,
                        tn_err *err)
{
    mode->no_saturate = tni_attr_int(node, "saturate", 1) == 0;
    if (tni_attr_is(node, "round_mode", "up", "up"))
        mode->round = TNI_ROUND_UP;
    else if (tni_attr_is(node, "round_mode", "down", "up"))
        mode->round = TNI_ROUND_DOWN;
    else if (tni_attr_is(node, "round_mode", "nearest", "up"))
        mode->round = TNI_ROUND_NEAREST;
    else
        return tni_fail(err, TN_EINVAL,
                        "attribute 'round_mode' must be up, down or nearest");
    return TN_OK;
}

tn_status tni_cast_infer(tni_infer *c, tn_dtype to)
{
    tni_convert_mode mode;
    TN_TRY(tni_cast_mode(&mode, c->node, c->err));
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR) c->out[0].dtype = to;
    return TN_OK;
}

/* --- strings ----------------------------------------------------------- */

static size_t write_float(char *buf, double v, tn_dtype dtype)
{
    if (v != v) return (size_t)snprintf(buf, TEXT, "NaN");
    if (isinf(v)) return (size_t)snprintf(buf, TEXT, v < 0.0 ? "-INF" : "INF");
    if (dtype != TN_F32 && dtype != TN_F64)
        return tni_num_format(buf, TEXT, v, 8);
    /* 9 and 17 digits always suffice. */
    const int most = dtype == TN_F32 ? 9 : 17;
    for (int digits = dtype == TN_F32 ? 6 : 15; digits < most; digits++) {
        double back = 0.0;
        float back_f32 = 0.0f;
        const size_t n = tni_num_format(buf, TEXT, v, digits);
        if (dtype == TN_F64 && tni_num_parse_f64(&back, NULL, buf, n) &&
            back == v)
            return n;
        if (dtype == TN_F32 && tni_num_parse_f32(&back_f32, NULL, buf, n) &&
            (double)back_f32 == v)
            return n;
    }
    return tni_num_format(buf, TEXT, v, most);
}

static size_t write_number(char *buf, tn_dtype dtype, const void *x)
{
    union {
        double f64;
        int64_t i64;
        uint64_t u64;
    } v;
    switch (dtype) {
    case TN_U64:
        memcpy(&v.u64, x, 8);
        return (size_t)snprintf(buf, TEXT, "%llu", (unsigned long long)v.u64);
    case TN_F64:
    case TN_F32:
    case TN_F16:
    case TN_BF16:
    case TN_F8E4M3FN:
    case TN_F8E4M3FNUZ:
    case TN_F8E5M2:
    case TN_F8E5M2FNUZ:
    case TN_F4E2M1:
    case TN_F8E8M0:
        tni_convert(&v.f64, TN_F64, x, dtype, 1, NULL);
        return write_float(buf, v.f64, dtype);
    default:
        tni_convert(&v.i64, TN_I64, x, dtype, 1, NULL);
        return (size_t)snprintf(buf, TEXT, "%lld", (long long)v.i64);
    }
}

static tn_status to_strings(tni_ref *c, tni_tensor *y, const tni_tensor *x)
{
    const size_t size = tn_dtype_size(x->dtype);
    tn_string *out = y->data;
    for (int64_t i = 0; i < x->len; i++) {
        char text[TEXT];
        const char *from = TNI_CDATA(char, x) + (size_t)i * size;
        const size_t len = write_number(text, x->dtype, from);
        char *copy = tni_arena_strndup(c->out_arena, text, len);
        if (copy == NULL) return tni_ref_nomem(c);
        out[i] = (tn_string){copy, len};
    }
    return TN_OK;
}

static bool read_number(void *y, tn_dtype dtype, tn_string s,
                        const tni_convert_mode *mode)
{
    if (dtype == TN_F64) return tni_num_parse_f64(y, NULL, s.ptr, s.len);
    if (dtype == TN_U64) return tni_num_parse_u64(y, NULL, s.ptr, s.len);
    if (tni_is_float(dtype) || dtype == TN_F4E2M1 ||
        (dtype >= TN_F8E4M3FN && dtype <= TN_F8E5M2FNUZ) ||
        dtype == TN_F8E8M0) {
        float f = 0.0f;
        if (!tni_num_parse_f32(&f, NULL, s.ptr, s.len)) return false;
        tni_convert(y, dtype, &f, TN_F32, 1, mode);
        return true;
    }
    int64_t i = 0;
    if (!tni_num_parse_i64(&i, NULL, s.ptr, s.len)) return false;
    tni_convert(y, dtype, &i, TN_I64, 1, mode);
    return true;
}

static tn_status from_strings(tni_ref *c, tni_tensor *y, const tni_tensor *x,
                              const tni_convert_mode *mode)
{
    const size_t size = tn_dtype_size(y->dtype);
    const tn_string *in = x->data;
    for (int64_t i = 0; i < x->len; i++) {
        char *to = TNI_DATA(char, y) + (size_t)i * size;
        if (read_number(to, y->dtype, in[i], mode)) continue;
        const int shown = in[i].len < 40 ? (int)in[i].len : 40;
        return tni_fail(c->err, TN_EINVAL,
                        "element %lld '%.*s' is not a number that fits %s",
                        (long long)i, shown, in[i].len > 0 ? in[i].ptr : "",
                        tn_dtype_name(y->dtype));
    }
    return TN_OK;
}

/* --- numbers ----------------------------------------------------------- */

typedef struct cast_job {
    tni_convert_mode mode;
    tn_dtype to, from;
    const tni_cvt_kernels *cvt; /* between halves and f32 */
    size_t to_size, from_size;
    char *y;
    const char *x;
} cast_job;

static void cast_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const cast_job *j = ctx;
    char *y = j->y + first * j->to_size;
    const char *x = j->x + first * j->from_size;
    (void)row;
    if (j->cvt != NULL && j->to == TN_F32)
        tni_widen(j->cvt, (float *)(void *)y, x, j->from, n);
    else if (j->cvt != NULL && j->from == TN_F32)
        tni_narrow(j->cvt, y, j->to, (const float *)(const void *)x, n);
    else
        tni_convert(y, j->to, x, j->from, n, &j->mode);
}

static void cast_start(cast_job *j, tni_tensor *y, const tni_tensor *x,
                       const tni_par *par)
{
    j->to_size = tn_dtype_size(j->to);
    j->from_size = tn_dtype_size(j->from);
    j->y = y->data;
    j->x = x->data;
    tni_rows_for(par, 1, (size_t)x->len, cast_piece, j);
}

tn_status tni_cast_ref(tni_ref *c, tn_dtype to)
{
    const tni_tensor *x = c->in[0];
    cast_job j = {.to = to, .from = x->dtype};
    TN_TRY(tni_cast_mode(&j.mode, c->node, c->err));
    if (to == x->dtype) return tni_ref_output_copy(c, 0, x);
    TN_TRY(tni_ref_output(c, 0, to, x->rank, x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    if (to == TN_STRING) return to_strings(c, c->out[0], x);
    if (x->dtype == TN_STRING) return from_strings(c, c->out[0], x, &j.mode);
    cast_start(&j, c->out[0], x, c->par);
    return TN_OK;
}

static void cast_run(const tni_run *c)
{
    cast_job j = *(const cast_job *)c->state;
    cast_start(&j, c->out[0], c->in[0], c->par);
}

tn_status tni_cast_plan(tni_plan *c, tn_dtype to)
{
    const tn_dtype from = c->in[0]->dtype;
    if (c->out[0] == NULL || to == TN_STRING || from == TN_STRING) return TN_OK;
    cast_job *j = TNI_NEW(c->arena, cast_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->to = to;
    j->from = from;
    TN_TRY(tni_cast_mode(&j->mode, c->node, c->err));
    const bool widens = to == TN_F32 && (from == TN_F16 || from == TN_BF16);
    const bool narrows = from == TN_F32 && (to == TN_F16 || to == TN_BF16);
    if (c->kernels != NULL && (widens || narrows)) j->cvt = &c->kernels->cvt;
    c->state = j;
    c->run = cast_run;
    return TN_OK;
}
