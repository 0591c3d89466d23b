/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_stft.c - ONNX STFT, opset 17
 *
 * Shapes:  signal[b, n, 1 or 2], frame_step, window[w], frame_length  ->
 *          output[b, (n - length) / step + 1, bins, 2], bins = length / 2 + 1
 *          when onesided, else length
 * Types:   floats
 * Errors:  EINVAL lengths that do not fit, onesided with a complex signal
 * Numeric: in double
 */
#include "ops/fft.h"
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

typedef struct setup {
    int64_t batch, n, step, length, frames, bins;
    int parts;
    bool onesided;
} setup;

/* Frames and bins; every number may be unknown (negative). */
static tn_status finish(setup *s, tn_err *err)
{
    s->frames = s->bins = TNI_DIM_UNKNOWN;
    if (s->length >= 0)
        s->bins = s->onesided ? s->length / 2 + 1 : s->length;
    if (s->n < 0 || s->length < 0 || s->step < 0) return TN_OK;
    if (s->step < 1 || s->length < 1 || s->length > s->n)
        return tni_fail(err, TN_EINVAL,
                        "frames of %lld in steps of %lld over %lld samples",
                        (long long)s->length, (long long)s->step,
                        (long long)s->n);
    s->frames = (s->n - s->length) / s->step + 1;
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    setup s = {.batch = TNI_DIM_UNKNOWN, .n = TNI_DIM_UNKNOWN,
               .step = TNI_DIM_UNKNOWN, .length = TNI_DIM_UNKNOWN};
    s.onesided = tni_attr_int(c->node, "onesided", 1) != 0;
    if (tni_infer_ranked(c, 0)) {
        if (c->in[0]->rank != 3 && c->in[0]->rank != 2)
            return tni_fail(c->err, TN_EINVAL, "signal of rank %d, expected 3",
                            c->in[0]->rank);
        s.batch = c->in[0]->dims[0];
        s.n = c->in[0]->dims[1];
    }
    if (tni_infer_const(c, 1) != NULL)
        TN_TRY(tni_scalar_i64(&s.step, tni_infer_const(c, 1), "frame_step",
                              c->err));
    if (tni_infer_const(c, 3) != NULL)
        TN_TRY(tni_scalar_i64(&s.length, tni_infer_const(c, 3),
                              "frame_length", c->err));
    else if (tni_infer_ranked(c, 2) && c->in[2]->rank == 1)
        s.length = c->in[2]->dims[0];
    else if (!tni_infer_has(c, 2) && !tni_infer_has(c, 3))
        s.length = s.n;
    TN_TRY(finish(&s, c->err));
    const int64_t dims[4] = {s.batch, s.frames, s.bins, 2};
    return tni_infer_dims(c, 0, tni_infer_dtype(c, 0), 4, dims);
}

static tn_status setup_of(setup *s, const tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tni_tensor *window = tni_ref_has(c, 2) ? c->in[2] : NULL;
    if (x->rank != 2 &&
        (x->rank != 3 || x->dims[2] < 1 || x->dims[2] > 2)) {
        char text[120];
        return tni_fail(c->err, TN_EINVAL,
                        "signal %s, expected [batch, samples, 1 or 2]",
                        tni_shape_text(text, sizeof text, x));
    }
    s->batch = x->dims[0];
    s->n = x->dims[1];
    s->parts = x->rank == 3 ? (int)x->dims[2] : 1;
    s->onesided = tni_attr_int(c->node, "onesided", 1) != 0;
    s->length = window != NULL ? window->len : s->n;
    TN_TRY(tni_scalar_i64(&s->step, c->in[1], "frame_step", c->err));
    if (tni_ref_has(c, 3))
        TN_TRY(tni_scalar_i64(&s->length, c->in[3], "frame_length", c->err));
    if (window != NULL && (window->rank != 1 || window->len != s->length))
        return tni_fail(c->err, TN_EINVAL,
                        "a window of %lld for frames of %lld",
                        (long long)window->len, (long long)s->length);
    if (s->onesided && s->parts == 2)
        return tni_fail(c->err, TN_EINVAL,
                        "onesided with a complex signal, expected a real one");
    if (s->step < 1 || s->length < 1)
        return tni_fail(c->err, TN_EINVAL,
                        "frames of %lld in steps of %lld",
                        (long long)s->length, (long long)s->step);
    return finish(s, c->err);
}

typedef struct job {
    const setup *s;
    const tni_fft *fft;
    const tni_tensor *x, *window;
    tni_tensor *y;
    double *buffers;
    size_t buffer_len;
} job;

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const job *j = ctx;
    const setup *s = j->s;
    const int64_t n = s->length;
    double *v = j->buffers + (size_t)worker * j->buffer_len;
    double *work = v + 2 * n + 2;
    for (size_t task = begin; task < end; task++) {
        const int64_t b = (int64_t)task / s->frames;
        const int64_t f = (int64_t)task % s->frames;
        const int64_t first = (b * s->n + f * s->step) * s->parts;
        for (int64_t i = 0; i < n; i++) {
            const double w =
                j->window != NULL ? tni_get_f64(j->window, i) : 1.0;
            for (int p = 0; p < s->parts; p++)
                v[i * s->parts + p] =
                    w * tni_get_f64(j->x, first + i * s->parts + p);
        }
        if (s->parts == 1)
            tni_fft_real(j->fft, v, work);
        else
            tni_fft_run(j->fft, v, false, work);
        for (int64_t k = 0; k < s->bins; k++) {
            const bool mirror = s->parts == 1 && k > n / 2;
            const int64_t from = mirror ? n - k : k;
            const int64_t at = ((int64_t)task * s->bins + k) * 2;
            tni_set_f64(j->y, at, v[2 * from]);
            tni_set_f64(j->y, at + 1,
                        mirror ? -v[2 * from + 1] : v[2 * from + 1]);
        }
    }
}

static tn_status ref(tni_ref *c)
{
    setup s;
    TN_TRY(setup_of(&s, c));
    const int64_t dims[4] = {s.batch, s.frames, s.bins, 2};
    TN_TRY(tni_ref_output(c, 0, c->in[0]->dtype, 4, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_fft *fft = NULL;
    TN_TRY(s.parts == 1 ? tni_fft_new_real(&fft, s.length, c->scratch, c->err)
                        : tni_fft_new(&fft, s.length, c->scratch, c->err));
    job j = {.s = &s, .fft = fft, .x = c->in[0], .y = c->out[0],
             .window = tni_ref_has(c, 2) ? c->in[2] : NULL};
    j.buffer_len = 2 * (size_t)s.length + 2 + tni_fft_work(fft);
    const size_t workers = (size_t)tni_par_workers(c->par);
    j.buffers = tni_ref_scratch(c, workers * j.buffer_len * sizeof(double));
    if (j.buffers == NULL) return tni_ref_nomem(c);
    tni_par_for(c->par, (size_t)(s.batch * s.frames), tasks, &j);
    return TN_OK;
}

#define INDEX (TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"signal", TNI_FLOATS, 'T', 0},
                              {"frame_step", INDEX, 0, 0},
                              {"window", TNI_FLOATS, 'T', TNI_OPTIONAL},
                              {"frame_length", INDEX, 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {{"onesided", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 17, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs), .infer = infer,
     .ref = ref},
};

const tni_op tni_op_stft = {
    .domain = "",
    .name = "STFT",
    .summary = "Fourier transforms of overlapping frames",
    TNI_VERSIONS(versions),
};
