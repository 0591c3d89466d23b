/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_stft.c - ONNX STFT, opset 17
 *
 * Shapes:  signal[b, n, 1 or 2], frame_step, window[w], frame_length  ->
 *          output[b, (n - length) / step + 1, bins, 2], bins = length / 2 + 1
 *          when onesided, else length
 * Types:   floats
 * Errors:  EINVAL lengths that do not fit, onesided with a complex signal
 * Numeric: f32 by the kernels of dft.h where they fit, else in double
 */
#include "ops/fft.h"
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/spectrum.h"

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

/* The inputs; those that are not there are NULL. Only the values of step and
 * length are looked at. */
typedef struct inputs {
    const tni_node *node;
    const tni_tensor *x, *step, *window, *length;
} inputs;

static tn_status setup_of(setup *s, const inputs *in, tn_err *err)
{
    const tni_tensor *x = in->x, *window = in->window;
    if (x->rank != 2 &&
        (x->rank != 3 || x->dims[2] < 1 || x->dims[2] > 2)) {
        char text[120];
        return tni_fail(err, TN_EINVAL,
                        "signal %s, expected [batch, samples, 1 or 2]",
                        tni_shape_text(text, sizeof text, x));
    }
    s->batch = x->dims[0];
    s->n = x->dims[1];
    s->parts = x->rank == 3 ? (int)x->dims[2] : 1;
    s->onesided = tni_attr_int(in->node, "onesided", 1) != 0;
    s->length = window != NULL ? window->len : s->n;
    TN_TRY(tni_scalar_i64(&s->step, in->step, "frame_step", err));
    if (in->length != NULL)
        TN_TRY(tni_scalar_i64(&s->length, in->length, "frame_length", err));
    if (window != NULL && (window->rank != 1 || window->len != s->length))
        return tni_fail(err, TN_EINVAL,
                        "a window of %lld for frames of %lld",
                        (long long)window->len, (long long)s->length);
    if (s->onesided && s->parts == 2)
        return tni_fail(err, TN_EINVAL,
                        "onesided with a complex signal, expected a real one");
    if (s->step < 1 || s->length < 1)
        return tni_fail(err, TN_EINVAL,
                        "frames of %lld in steps of %lld",
                        (long long)s->length, (long long)s->step);
    return finish(s, err);
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

static const tni_tensor *given(const tni_tensor *const *in, int n_in, int i)
{
    return i < n_in ? in[i] : NULL;
}

static tn_status new_fft(tni_fft **fft, const setup *s, tni_arena *arena,
                         tn_err *err)
{
    return s->parts == 1 ? tni_fft_new_real(fft, s->length, arena, err)
                         : tni_fft_new(fft, s->length, arena, err);
}

static size_t buffer_len(const setup *s, const tni_fft *fft)
{
    return 2 * (size_t)s->length + 2 + tni_fft_work(fft);
}

static tn_status ref(tni_ref *c)
{
    setup s;
    const inputs in = {c->node, c->in[0], c->in[1], given(c->in, c->n_in, 2),
                       given(c->in, c->n_in, 3)};
    TN_TRY(setup_of(&s, &in, c->err));
    const int64_t dims[4] = {s.batch, s.frames, s.bins, 2};
    TN_TRY(tni_ref_output(c, 0, c->in[0]->dtype, 4, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_fft *fft = NULL;
    TN_TRY(new_fft(&fft, &s, c->scratch, c->err));
    job j = {.s = &s, .fft = fft, .x = c->in[0], .y = c->out[0],
             .window = in.window, .buffer_len = buffer_len(&s, fft)};
    const size_t workers = (size_t)tni_par_workers(c->par);
    j.buffers = tni_ref_scratch(c, workers * j.buffer_len * sizeof(double));
    if (j.buffers == NULL) return tni_ref_nomem(c);
    tni_par_for(c->par, (size_t)(s.batch * s.frames), tasks, &j);
    return TN_OK;
}

/* --- planned -------------------------------------------------------------- */

typedef struct planned {
    setup s;
    tni_spectrum spectrum;
    tni_fft *fft; /* where the spectrum has no kernel */
    bool windowed;
} planned;

typedef struct fast_job {
    const planned *p;
    const float *x, *window;
    float *y, *work;
} fast_job;

static void fast_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const fast_job *j = ctx;
    const setup *s = &j->p->s;
    const tni_spectrum *spectrum = &j->p->spectrum;
    float *work = j->work + (size_t)worker * spectrum->worker;
    for (size_t task = begin; task < end; task++) {
        const int64_t b = (int64_t)task / s->frames;
        const int64_t f = (int64_t)task % s->frames;
        float *y = j->y + (int64_t)task * s->bins * 2;
        spectrum->row->run(&spectrum->plan,
                           j->x + (b * s->n + f * s->step) * s->parts,
                           j->window, y, work);
        if (s->parts == 1 && !s->onesided) tni_spectrum_mirror(y, s->length);
    }
}

static void run(const tni_run *c)
{
    const planned *p = c->state;
    const tni_tensor *window = p->windowed ? c->in[2] : NULL;
    const int64_t n_tasks = p->s.batch * p->s.frames;
    if (p->spectrum.row != NULL) {
        fast_job j = {p, c->in[0]->data, window != NULL ? window->data : NULL,
                      c->out[0]->data, c->scratch};
        tni_spectrum_for(&p->spectrum, c->par, n_tasks, fast_tasks, &j);
        return;
    }
    job j = {.s = &p->s, .fft = p->fft, .x = c->in[0], .y = c->out[0],
             .window = window, .buffers = c->scratch,
             .buffer_len = buffer_len(&p->s, p->fft)};
    tni_par_for(c->par, (size_t)n_tasks, tasks, &j);
}

static tn_status plan(tni_plan *c)
{
    const tni_tensor *step = c->in_const[1];
    const tni_tensor *length = given(c->in_const, c->n_in, 3);
    /* Numbers that are known only at run are left to ref. */
    if (c->out[0] == NULL || step == NULL ||
        (c->n_in > 3 && c->in[3] != NULL && length == NULL))
        return TN_OK;
    planned *p = TNI_NEW(c->arena, planned);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const bool windowed = c->n_in > 2 && c->in[2] != NULL;
    p->windowed = windowed;
    tni_tensor x, window;
    tni_spectrum_stand_in(&x, c->in[0]);
    if (windowed) tni_spectrum_stand_in(&window, c->in[2]);
    const inputs in = {c->node, &x, step, windowed ? &window : NULL, length};
    TN_TRY(setup_of(&p->s, &in, c->err));
    /* The kernel's windows have as many numbers as the signal. */
    if (x.dtype == TN_F32 && (p->s.parts == 1 || !windowed))
        TN_TRY(tni_spectrum_plan(
            &p->spectrum, c, p->s.parts == 1 ? TNI_DFT_REAL : TNI_DFT_FORWARD,
            p->s.length, 0));
    if (p->spectrum.row == NULL) {
        TN_TRY(new_fft(&p->fft, &p->s, c->arena, c->err));
        TN_TRY(tni_spectrum_scratch(c, buffer_len(&p->s, p->fft),
                                    sizeof(double)));
    }
    c->state = p;
    c->run = run;
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
     .ref = ref, .plan = plan},
};

const tni_op tni_op_stft = {
    .domain = "",
    .name = "STFT",
    .summary = "Fourier transforms of overlapping frames",
    TNI_VERSIONS(versions),
};
