/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_dft.c - ONNX DFT, opsets 17, 20
 *
 * Shapes:  input[… n … , 1 or 2], dft_length, axis  ->  output[… m …, 2] (or
 *          1): m = dft_length; forward onesided: dft_length / 2 + 1; inverse
 *          onesided gives real numbers
 * Types:   floats; real or (real, imaginary) in the last axis
 * Errors:  EINVAL a last axis of another extent, a bad length or axis
 * Numeric: f32 by the kernels of dft.h where they fit; else in double, |err|
 *          <= 2 u log2(n) max|output| before rounding
 */
#include "ops/fft.h"
#include "ops/infer.h"
#include "ops/move.h"
#include "ops/spectrum.h"

#include <string.h>

typedef struct setup {
    bool inverse, onesided;
    int axis;
    int64_t n_in, length, n_out; /* extents along axis, points of the DFT */
    int parts_in, parts_out;     /* 1: real, 2: complex */
    int64_t outer, inner;
} setup;

static tn_status axis_of(int *axis, const tni_node *node, int opset, int rank,
                         const tni_tensor *input, tn_err *err)
{
    int64_t a = opset < 20 ? tni_attr_int(node, "axis", 1) : -2;
    if (opset >= 20 && input != NULL)
        TN_TRY(tni_scalar_i64(&a, input, "axis", err));
    if (rank < 2)
        return tni_fail(err, TN_EINVAL, "rank %d, expected at least 2", rank);
    TN_TRY(tni_axis(axis, a, rank, err));
    if (*axis == rank - 1)
        return tni_fail(err, TN_EINVAL,
                        "axis %lld holds the real and imaginary parts",
                        (long long)a);
    return TN_OK;
}

static int64_t default_length(const tni_node *node, int64_t n)
{
    const bool real = tni_attr_int(node, "inverse", 0) != 0 &&
                      tni_attr_int(node, "onesided", 0) != 0;
    if (!real || n < 0) return real ? TNI_DIM_UNKNOWN : n;
    return n > 0 ? 2 * (n - 1) : 0;
}

static int64_t output_extent(const tni_node *node, int64_t length)
{
    const bool half = tni_attr_int(node, "inverse", 0) == 0 &&
                      tni_attr_int(node, "onesided", 0) != 0;
    if (!half) return length;
    return length < 0 ? TNI_DIM_UNKNOWN : length / 2 + 1;
}

static tn_status length_of(int64_t *length, const tni_tensor *input,
                           tn_err *err)
{
    TN_TRY(tni_scalar_i64(length, input, "dft_length", err));
    if (*length < 1)
        return tni_fail(err, TN_EINVAL, "dft_length %lld",
                        (long long)*length);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int64_t dims[TN_MAX_RANK], length = TNI_DIM_UNKNOWN;
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    const bool to_real = tni_attr_int(c->node, "inverse", 0) != 0 &&
                         tni_attr_int(c->node, "onesided", 0) != 0;
    const tni_tensor *axis_in = tni_infer_const(c, 2);
    int axis = 0;
    if (tni_infer_has(c, 2) && axis_in == NULL) {
        for (int d = 0; d < x->rank; d++) dims[d] = TNI_DIM_UNKNOWN;
    } else {
        TN_TRY(axis_of(&axis, c->node, c->opset, x->rank, axis_in, c->err));
        if (!tni_infer_has(c, 1))
            length = default_length(c->node, x->dims[axis]);
        else if (tni_infer_const(c, 1) != NULL)
            TN_TRY(length_of(&length, tni_infer_const(c, 1), c->err));
        dims[axis] = output_extent(c->node, length);
    }
    if (x->rank > 0) dims[x->rank - 1] = to_real ? 1 : 2;
    return tni_infer_dims(c, 0, dtype, x->rank, dims);
}

/* The inputs; those that are not there are NULL. Only the values of length and
 * axis are looked at. */
typedef struct inputs {
    const tni_node *node;
    int opset;
    const tni_tensor *x, *length, *axis;
} inputs;

static tn_status setup_of(setup *s, const inputs *in, tn_err *err)
{
    const tni_tensor *x = in->x;
    memset(s, 0, sizeof *s);
    s->inverse = tni_attr_int(in->node, "inverse", 0) != 0;
    s->onesided = tni_attr_int(in->node, "onesided", 0) != 0;
    TN_TRY(axis_of(&s->axis, in->node, in->opset, x->rank, in->axis, err));
    const int64_t parts = x->dims[x->rank - 1];
    if (parts != 1 && parts != 2)
        return tni_fail(err, TN_EINVAL,
                        "the last extent is %lld, expected 1 (real) or 2 "
                        "(complex)",
                        (long long)parts);
    s->parts_in = (int)parts;
    s->parts_out = s->inverse && s->onesided ? 1 : 2;
    s->n_in = x->dims[s->axis];
    s->length = default_length(in->node, s->n_in);
    if (in->length != NULL) TN_TRY(length_of(&s->length, in->length, err));
    s->n_out = output_extent(in->node, s->length);
    s->outer = s->inner = 1;
    for (int d = 0; d < s->axis; d++) s->outer *= x->dims[d];
    for (int d = s->axis + 1; d < x->rank - 1; d++) s->inner *= x->dims[d];
    return TN_OK;
}

typedef struct job {
    const setup *s;
    const tni_fft *fft;
    bool real; /* a forward transform of real numbers */
    const tni_tensor *x;
    tni_tensor *y;
    double *buffers; /* per worker: the line and the work */
    size_t buffer_len;
} job;

static double part(const job *j, int64_t line, int64_t i, int p)
{
    const setup *s = j->s;
    const int64_t o = line / s->inner, k = line % s->inner;
    const int64_t at = (o * s->n_in + i) * s->inner + k;
    if (p >= s->parts_in) return 0.0;
    return tni_get_f64(j->x, at * s->parts_in + p);
}

static void load(const job *j, int64_t line, double *v)
{
    const setup *s = j->s;
    const int64_t n = s->length;
    if (j->real) {
        for (int64_t i = 0; i < n; i++)
            v[i] = i < s->n_in ? part(j, line, i, 0) : 0.0;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        /* The other half of a real signal's spectrum is its mirror image. */
        const bool mirror = s->parts_out == 1 && i > n / 2;
        const int64_t from = mirror ? n - i : i;
        const bool there = from < s->n_in;
        v[2 * i] = there ? part(j, line, from, 0) : 0.0;
        v[2 * i + 1] = there ? part(j, line, from, 1) : 0.0;
        if (mirror) v[2 * i + 1] = -v[2 * i + 1];
        if (s->parts_out == 1 && (i == 0 || 2 * i == n)) v[2 * i + 1] = 0.0;
    }
}

static void store(const job *j, int64_t line, const double *v)
{
    const setup *s = j->s;
    const int64_t o = line / s->inner, k = line % s->inner, n = s->length;
    const double scale = s->inverse ? 1.0 / (double)n : 1.0;
    for (int64_t i = 0; i < s->n_out; i++) {
        const int64_t at = (o * s->n_out + i) * s->inner + k;
        const bool mirror = j->real && i > n / 2;
        const int64_t from = mirror ? n - i : i;
        tni_set_f64(j->y, at * s->parts_out, scale * v[2 * from]);
        if (s->parts_out == 2)
            tni_set_f64(j->y, at * 2 + 1,
                        (mirror ? -scale : scale) * v[2 * from + 1]);
    }
}

static void tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const job *j = ctx;
    double *line = j->buffers + (size_t)worker * j->buffer_len;
    double *work = line + 2 * (size_t)j->s->length + 2;
    for (size_t i = begin; i < end; i++) {
        load(j, (int64_t)i, line);
        if (j->real)
            tni_fft_real(j->fft, line, work);
        else
            tni_fft_run(j->fft, line, j->s->inverse, work);
        store(j, (int64_t)i, line);
    }
}

static const tni_tensor *given(const tni_tensor *const *in, int n_in, int i)
{
    return i < n_in ? in[i] : NULL;
}

/* A forward transform of real numbers */
static bool is_real(const setup *s)
{
    return s->parts_in == 1 && !s->inverse;
}

static tn_status new_fft(tni_fft **fft, const setup *s, tni_arena *arena,
                         tn_err *err)
{
    return is_real(s) ? tni_fft_new_real(fft, s->length, arena, err)
                      : tni_fft_new(fft, s->length, arena, err);
}

static size_t buffer_len(const setup *s, const tni_fft *fft)
{
    return 2 * (size_t)s->length + 2 + tni_fft_work(fft);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const inputs in = {c->node, c->opset, x, given(c->in, c->n_in, 1),
                       given(c->in, c->n_in, 2)};
    setup s;
    TN_TRY(setup_of(&s, &in, c->err));
    int64_t dims[TN_MAX_RANK];
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    dims[s.axis] = s.n_out;
    dims[x->rank - 1] = s.parts_out;
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_ref_wants(c, 0) || c->out[0]->len == 0) return TN_OK;
    tni_fft *fft = NULL;
    TN_TRY(new_fft(&fft, &s, c->scratch, c->err));
    job j = {.s = &s, .x = x, .y = c->out[0], .real = is_real(&s), .fft = fft,
             .buffer_len = buffer_len(&s, fft)};
    const size_t workers = (size_t)tni_par_workers(c->par);
    j.buffers = tni_ref_scratch(c, workers * j.buffer_len * sizeof(double));
    if (j.buffers == NULL) return tni_ref_nomem(c);
    tni_par_for(c->par, (size_t)(s.outer * s.inner), tasks, &j);
    return TN_OK;
}

/* --- planned -------------------------------------------------------------- */

typedef struct planned {
    setup s;
    tni_spectrum spectrum;
    tni_fft *fft; /* where the spectrum has no kernel */
} planned;

typedef struct fast_job {
    const planned *p;
    const float *x;
    float *y, *work;
} fast_job;

/* A line of f32, in place where it lies together, else copied to `room`: as
 * many pairs, or numbers of a real transform, as it has points. */
static const float *fast_load(const fast_job *j, int64_t line, float *room)
{
    const setup *s = &j->p->s;
    const int64_t o = line / s->inner, k = line % s->inner;
    const float *x = j->x + (o * s->n_in * s->inner + k) * s->parts_in;
    const int64_t step = s->inner * s->parts_in;
    const int parts = is_real(s) ? 1 : 2;
    if (s->inner == 1 && s->n_in >= s->length && parts == s->parts_in)
        return x;
    const int64_t there = s->n_in < s->length ? s->n_in : s->length;
    memset(room, 0, (size_t)(s->length * parts) * sizeof *room);
    for (int64_t i = 0; i < there; i++)
        for (int p = 0; p < s->parts_in; p++)
            room[i * parts + p] = x[i * step + p];
    return room;
}

static void fast_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const fast_job *j = ctx;
    const setup *s = &j->p->s;
    const tni_spectrum *spectrum = &j->p->spectrum;
    float *work = j->work + (size_t)worker * spectrum->worker;
    float *in = work + spectrum->work, *out = in + 2 * s->length;
    for (size_t line = begin; line < end; line++) {
        const int64_t o = (int64_t)line / s->inner;
        const int64_t k = (int64_t)line % s->inner;
        float *y = j->y + (o * s->n_out * s->inner + k) * 2;
        float *to = s->inner == 1 ? y : out;
        spectrum->row->run(&spectrum->plan, fast_load(j, (int64_t)line, in),
                           NULL, to, work);
        if (is_real(s) && !s->onesided) tni_spectrum_mirror(to, s->length);
        for (int64_t i = 0; i < s->n_out && to == out; i++) {
            y[2 * i * s->inner] = out[2 * i];
            y[2 * i * s->inner + 1] = out[2 * i + 1];
        }
    }
}

static void run(const tni_run *c)
{
    const planned *p = c->state;
    const int64_t n_tasks = p->s.outer * p->s.inner;
    if (p->spectrum.row != NULL) {
        fast_job j = {p, c->in[0]->data, c->out[0]->data, c->scratch};
        tni_spectrum_for(&p->spectrum, c->par, n_tasks, fast_tasks, &j);
        return;
    }
    job j = {.s = &p->s, .x = c->in[0], .y = c->out[0], .real = is_real(&p->s),
             .fft = p->fft, .buffers = c->scratch,
             .buffer_len = buffer_len(&p->s, p->fft)};
    tni_par_for(c->par, (size_t)n_tasks, tasks, &j);
}

static tni_dft_form form_of(const setup *s)
{
    if (s->inverse) return TNI_DFT_INVERSE;
    return is_real(s) ? TNI_DFT_REAL : TNI_DFT_FORWARD;
}

static tn_status plan(tni_plan *c)
{
    const tni_tensor *length = given(c->in_const, c->n_in, 1);
    const tni_tensor *axis = given(c->in_const, c->n_in, 2);
    /* Numbers that are known only at run are left to ref. */
    if (c->out[0] == NULL ||
        (c->n_in > 1 && c->in[1] != NULL && length == NULL) ||
        (c->n_in > 2 && c->in[2] != NULL && axis == NULL))
        return TN_OK;
    planned *p = TNI_NEW(c->arena, planned);
    if (p == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_tensor x;
    tni_spectrum_stand_in(&x, c->in[0]);
    const inputs in = {c->node, c->opset, &x, length, axis};
    TN_TRY(setup_of(&p->s, &in, c->err));
    const setup *s = &p->s;
    if (s->n_out < 1 || s->outer * s->inner == 0) return TN_OK;
    /* The kernels know no half spectrum but that of real numbers. */
    const bool whole = is_real(s) || !s->onesided;
    if (x.dtype == TN_F32 && whole)
        TN_TRY(tni_spectrum_plan(&p->spectrum, c, form_of(s), s->length, 2));
    if (p->spectrum.row == NULL) {
        TN_TRY(new_fft(&p->fft, s, c->arena, c->err));
        TN_TRY(
            tni_spectrum_scratch(c, buffer_len(s, p->fft), sizeof(double)));
    }
    c->state = p;
    c->run = run;
    return TN_OK;
}

#define INDEX (TNI_T(TN_I32) | TNI_T(TN_I64))
static const tni_arg ins[] = {{"input", TNI_FLOATS, 'T', 0},
                              {"dft_length", INDEX, 0, TNI_OPTIONAL},
                              {"axis", INDEX, 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_FLOATS, 'T', 0}};
static const tni_attr_spec attrs[] = {{"inverse", TNI_ATTR_INT, "0"},
                                      {"onesided", TNI_ATTR_INT, "0"},
                                      {"axis", TNI_ATTR_INT, "1"}};

static const tni_op_version versions[] = {
    {.since = 20, TNI_IN(ins), TNI_OUT(outs), .attrs = attrs, .n_attrs = 2,
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 17, .in = ins, .n_in = 2, TNI_OUT(outs), TNI_ATTRS(attrs),
     .infer = infer, .ref = ref, .plan = plan},
};

const tni_op tni_op_dft = {
    .domain = "",
    .name = "DFT",
    .summary = "The discrete Fourier transform along an axis",
    TNI_VERSIONS(versions),
};
