/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resample.c - separable resizing
 *
 * Coordinates are computed in float32 in the order of the specification's
 * formulas: where they fall on a boundary between two pixels, exporters'
 * models expect exactly that rounding. Weights are computed in double. Axes
 * that shrink go first, from the outermost; then those that grow, from the
 * innermost: that order keeps intermediate results small and most of the work
 * on contiguous rows.
 */
#include "ops/resample.h"

#include "base/checked.h"
#include "ops/nn.h"
#include "tensor/half.h"

#include <math.h>
#include <string.h>

tn_status tni_resample_extent(int64_t *out, int64_t dim, float scale,
                              tn_err *err)
{
    const double v = floor((double)dim * (double)scale);
    if (!(scale > 0.0f) || !(v >= 0.0 && v < 9.0e15))
        return tni_fail(err, TN_EINVAL, "scale %g of extent %lld",
                        (double)scale, (long long)dim);
    /* A product that float32 rounds to a whole number is that number. */
    const float f = (float)dim * scale;
    const float whole = floorf(f);
    *out = (double)whole == v + 1.0 ? (int64_t)whole : (int64_t)v;
    return TN_OK;
}

float tni_resample_coord(const tni_resample_spec *s, int axis, int64_t n,
                         int64_t i)
{
    const float x = (float)i, scale = s->scale[axis];
    const float in = (float)n, out = (float)s->dims[axis];
    const float width = s->sized[axis] ? out : in * scale;
    switch (s->coord) {
    case TNI_HALF_PIXEL: return (x + 0.5f) / scale - 0.5f;
    case TNI_HALF_PIXEL_SYMMETRIC:
        return in / 2.0f * (1.0f - out / width) + (x + 0.5f) / scale - 0.5f;
    case TNI_PYTORCH_HALF_PIXEL:
        return s->dims[axis] > 1 ? (x + 0.5f) / scale - 0.5f : 0.0f;
    case TNI_ALIGN_CORNERS:
        return width == 1.0f || s->dims[axis] == 1
                   ? 0.0f
                   : x * (in - 1.0f) / (width - 1.0f);
    case TNI_TF_CROP_AND_RESIZE: {
        const float a = s->roi[0][axis], b = s->roi[1][axis];
        if (s->dims[axis] == 1) return 0.5f * (a + b) * (in - 1.0f);
        return a * (in - 1.0f) + x * (b - a) * (in - 1.0f) / (width - 1.0f);
    }
    case TNI_TF_HALF_PIXEL_FOR_NN: return (x + 0.5f) / scale;
    default: return x / scale;
    }
}

static int64_t clamp(double v, int64_t n)
{
    return !(v > 0.0) ? 0 : v >= (double)(n - 1) ? n - 1 : (int64_t)v;
}

static int64_t nearest(float x, int64_t n, tni_nearest mode, bool shrinks)
{
    const double v = (double)x;
    switch (mode) {
    case TNI_ROUND_PREFER_FLOOR: return clamp(ceil(v - 0.5), n);
    case TNI_ROUND_PREFER_CEIL: return clamp(floor(v + 0.5), n);
    case TNI_CEIL: return clamp(ceil(v), n);
    case TNI_SIMPLE: return clamp(shrinks ? ceil(v) : floor(v), n);
    default: return clamp(floor(v), n);
    }
}

static bool extrapolated(const tni_resample_spec *s, float x, int64_t n)
{
    return s->coord == TNI_TF_CROP_AND_RESIZE &&
           !(x >= 0.0f && x <= (float)(n - 1));
}

static bool unchanged(const tni_resample_spec *s, int axis, int64_t n)
{
    return s->dims[axis] == n && !(s->scale[axis] < 1.0f) &&
           !(s->scale[axis] > 1.0f) &&
           (s->coord != TNI_TF_CROP_AND_RESIZE ||
            (!(s->roi[0][axis] > 0.0f) && !(s->roi[0][axis] < 0.0f) &&
             !(s->roi[1][axis] > 1.0f) && !(s->roi[1][axis] < 1.0f)));
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

/* --- nearest ------------------------------------------------------------ */

static tn_status init_nearest(tni_resample *r, const tni_resample_spec *s,
                              const int64_t *dims, tni_arena *arena,
                              tn_err *err)
{
    const int64_t *at[TN_MAX_RANK] = {NULL};
    int64_t strides[TN_MAX_RANK];
    tni_strides(strides, s->rank, dims);
    for (int d = 0; d < s->rank; d++) {
        const int64_t n = dims[d];
        int64_t *map = TNI_NEW_ARRAY(arena, int64_t, s->dims[d]);
        if (map == NULL) return no_memory(err);
        const bool same = unchanged(s, d, n);
        for (int64_t i = 0; i < s->dims[d]; i++) {
            const float x = same ? (float)i : tni_resample_coord(s, d, n, i);
            if (same)
                map[i] = i * strides[d];
            else if (extrapolated(s, x, n))
                map[i] = -1;
            else
                map[i] = nearest(x, n, s->nearest, s->scale[d] < 1.0f) *
                         strides[d];
        }
        at[d] = map;
    }
    tni_map_init(&r->map, tn_dtype_size(r->dtype), s->rank, s->dims, dims, at);
    return TN_OK;
}

/* --- weights of one axis ------------------------------------------------- */

static double cubic(double x, double a)
{
    x = fabs(x);
    if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
    return 0.0;
}

static double kernel(const tni_resample_spec *s, double x)
{
    if (s->filter == TNI_CUBIC) return cubic(x, (double)s->cubic_a);
    return fabs(x) < 1.0 ? 1.0 - fabs(x) : 0.0;
}

/* Taps to the left of the coordinate's floor, as a number <= 0. */
static int64_t first_tap(const tni_resample_spec *s, int axis)
{
    const double support = s->filter == TNI_CUBIC ? 2.0 : 1.0;
    double scale = 1.0;
    if (s->antialias && s->scale[axis] < 1.0f) scale = (double)s->scale[axis];
    const double first = floor(-support / scale) + 1.0;
    return first > -1.0e9 ? (int64_t)first : (int64_t)-1000000000;
}

static tn_status init_pass(tni_resample_pass *p, const tni_resample_spec *s,
                           int axis, tni_arena *arena, tn_err *err)
{
    const int64_t start = first_tap(s, axis);
    const int64_t taps = 2 - 2 * start;
    int64_t n = 0;
    if (!tni_mul_i64(p->n_out, taps, &n) || !tni_to_int(taps, &p->taps))
        return tni_fail(err, TN_ELIMIT, "axis %d needs too many weights",
                        axis);
    int64_t *at = TNI_NEW_ARRAY(arena, int64_t, n);
    double *w = TNI_NEW_ARRAY(arena, double, n);
    float *wf = TNI_NEW_ARRAY(arena, float, n);
    if (at == NULL || w == NULL || wf == NULL) return no_memory(err);
    const double scale = s->antialias && s->scale[axis] < 1.0f
                             ? (double)s->scale[axis]
                             : 1.0;
    for (int64_t i = 0; i < p->n_out; i++) {
        const float x = tni_resample_coord(s, axis, p->n_in, i);
        int64_t *a = at + i * taps;
        double *k = w + i * taps, sum = 0.0;
        if (extrapolated(s, x, p->n_in) || x != x) {
            for (int64_t t = 0; t < taps; t++) a[t] = -1;
            continue;
        }
        /* A whole coordinate counts as the right end of its interval. */
        double base = floor((double)x);
        if (s->antialias && !((double)x > base)) base -= 1.0;
        const double ratio = (double)x - base;
        for (int64_t t = 0; t < taps; t++) {
            const double j = base + (double)(start + t);
            k[t] = kernel(s, scale * ((double)(start + t) - ratio));
            const bool outside = j < 0.0 || j > (double)(p->n_in - 1);
            if (s->exclude_outside && outside) k[t] = 0.0;
            a[t] = clamp(j, p->n_in);
            sum += k[t];
        }
        const bool norm = s->antialias || s->exclude_outside;
        for (int64_t t = 0; t < taps; t++) {
            if (norm && (sum < 0.0 || sum > 0.0)) k[t] /= sum;
            wf[i * taps + t] = (float)k[t];
        }
    }
    p->at = at;
    p->w = w;
    p->wf = wf;
    return TN_OK;
}

static tn_status init_passes(tni_resample *r, const tni_resample_spec *s,
                             const int64_t *from_dims, tni_arena *arena,
                             tn_err *err)
{
    int order[TN_MAX_RANK], n = 0;
    for (int d = 0; d < s->rank; d++)
        if (!unchanged(s, d, from_dims[d]) && s->dims[d] < from_dims[d])
            order[n++] = d;
    for (int d = s->rank - 1; d >= 0; d--)
        if (!unchanged(s, d, from_dims[d]) && s->dims[d] >= from_dims[d])
            order[n++] = d;
    int64_t dims[TN_MAX_RANK], most[2] = {0, 0};
    memcpy(dims, from_dims, (size_t)s->rank * sizeof dims[0]);
    const bool direct = r->dtype == TN_F32 || r->dtype == TN_F64;
    if (!direct) most[0] = r->len_in;
    for (int k = 0; k < n; k++) {
        tni_resample_pass *p = &r->passes[k];
        const int axis = order[k];
        *p = (tni_resample_pass){.outer = 1, .n_in = dims[axis],
                                 .n_out = s->dims[axis], .inner = 1};
        for (int d = 0; d < axis; d++) p->outer *= dims[d];
        for (int d = axis + 1; d < s->rank; d++) p->inner *= dims[d];
        dims[axis] = s->dims[axis];
        TN_TRY(init_pass(p, s, axis, arena, err));
        int64_t len = 0;
        if (!tni_dims_len(&len, s->rank, dims))
            return tni_fail(err, TN_ELIMIT, "the element count overflows");
        int64_t *buffer = &most[(k + 1) % 2];
        if ((k < n - 1 || !direct) && len > *buffer) *buffer = len;
    }
    r->n_passes = n;
    size_t a = 0, b = 0;
    if (!tni_mul_size((size_t)most[0], r->elem, &a) ||
        !tni_mul_size((size_t)most[1], r->elem, &b) ||
        !tni_align_up(a, TNI_ALIGN, &r->half) ||
        !tni_add_size(r->half, b, &r->scratch_bytes))
        return tni_fail(err, TN_ELIMIT, "the element count overflows");
    return TN_OK;
}

tn_status tni_resample_init(tni_resample *r, const tni_resample_spec *s,
                            tn_dtype dtype, const int64_t *from_dims,
                            tni_arena *arena, tn_err *err)
{
    memset(r, 0, sizeof *r);
    r->dtype = dtype;
    r->extrapolation = s->extrapolation;
    r->nearest = s->filter == TNI_NEAREST;
    if (!tni_dims_len(&r->len_in, s->rank, from_dims) ||
        !tni_dims_len(&r->len_out, s->rank, s->dims))
        return tni_fail(err, TN_ELIMIT, "the element count overflows");
    if (r->len_out == 0) return TN_OK;
    if (r->len_in == 0)
        return tni_fail(err, TN_EINVAL, "an empty input cannot grow");
    if (r->nearest) return init_nearest(r, s, from_dims, arena, err);
    if (((TNI_NUMERIC)&TNI_T(dtype)) == 0)
        return tni_fail(err, TN_EUNSUPPORTED,
                        "interpolation of %s; nearest is supported",
                        tn_dtype_name(dtype));
    r->wide = dtype == TN_F64 || dtype == TN_I32 || dtype == TN_I64 ||
              dtype == TN_U32 || dtype == TN_U64;
    r->elem = r->wide ? sizeof(double) : sizeof(float);
    r->round = s->antialias;
    return init_passes(r, s, from_dims, arena, err);
}

/* --- passes ---------------------------------------------------------------- */

typedef struct pass_job {
    const tni_resample_pass *p;
    const void *from;
    void *to;
    float fill;
    int64_t units, per_task;
} pass_job;

#define DEFINE_PASS(NAME, T, W)                                                \
    static void row_##NAME(T *to, const T *from, const tni_resample_pass *p,   \
                           int64_t j, T fill)                                  \
    {                                                                          \
        const int64_t *at = p->at + j * p->taps, n = p->inner;                 \
        const W *w = p->W##s + j * p->taps;                                    \
        if (at[0] < 0) {                                                       \
            for (int64_t i = 0; i < n; i++) to[i] = fill;                      \
            return;                                                            \
        }                                                                      \
        const T *a = from + at[0] * n, *b = from + at[1] * n;                  \
        const T wa = w[0], wb = w[1];                                          \
        for (int64_t i = 0; i < n; i++) to[i] = wa * a[i] + wb * b[i];         \
        for (int t = 2; t < p->taps; t++) {                                    \
            const T *c = from + at[t] * n;                                     \
            const T wc = w[t];                                                 \
            for (int64_t i = 0; i < n; i++) to[i] += wc * c[i];                \
        }                                                                      \
    }                                                                          \
    static void line_##NAME(T *to, const T *from, const tni_resample_pass *p,  \
                            T fill)                                            \
    {                                                                          \
        const int64_t *at = p->at;                                             \
        const W *w = p->W##s;                                                  \
        for (int64_t j = 0; j < p->n_out; j++, at += p->taps, w += p->taps) {  \
            if (at[0] < 0) {                                                   \
                to[j] = fill;                                                  \
                continue;                                                      \
            }                                                                  \
            T sum = w[0] * from[at[0]] + w[1] * from[at[1]];                   \
            for (int t = 2; t < p->taps; t++) sum += w[t] * from[at[t]];       \
            to[j] = sum;                                                       \
        }                                                                      \
    }                                                                          \
    static void tasks_##NAME(void *ctx, size_t begin, size_t end, int worker)  \
    {                                                                          \
        (void)worker;                                                          \
        const pass_job *job = ctx;                                             \
        const tni_resample_pass *p = job->p;                                   \
        const T *from = job->from;                                             \
        T *to = job->to;                                                       \
        int64_t last = (int64_t)end * job->per_task;                           \
        if (last > job->units) last = job->units;                              \
        for (int64_t u = (int64_t)begin * job->per_task; u < last; u++) {      \
            if (p->inner == 1) {                                               \
                line_##NAME(to + u * p->n_out, from + u * p->n_in, p,          \
                            (T)job->fill);                                     \
                continue;                                                      \
            }                                                                  \
            const int64_t o = u / p->n_out, j = u % p->n_out;                  \
            row_##NAME(to + u * p->inner, from + o * p->n_in * p->inner, p, j, \
                       (T)job->fill);                                          \
        }                                                                      \
    }

/* The weights of each working type. */
#define floats  wf
#define doubles w
DEFINE_PASS(f32, float, float)
DEFINE_PASS(f64, double, double)
#undef floats
#undef doubles

static void run_pass(const tni_resample *r, const tni_resample_pass *p,
                     void *to, const void *from, const tni_par *par)
{
    pass_job job = {.p = p, .from = from, .to = to,
                    .fill = r->extrapolation};
    job.units = p->inner == 1 ? p->outer : p->outer * p->n_out;
    const int64_t unit = (p->inner == 1 ? p->n_out : p->inner) * p->taps;
    job.per_task = unit < 32768 ? 32768 / unit : 1;
    tni_par_for(par, (size_t)((job.units + job.per_task - 1) / job.per_task),
                r->wide ? tasks_f64 : tasks_f32, &job);
}

/* --- dtypes other than float32 and float64 --------------------------------- */

enum { CHUNK = 256 };

static void load(const tni_resample *r, void *to, const void *from)
{
    if (r->wide) {
        tni_to_f64(to, r->dtype, from, r->len_in);
        return;
    }
    double part[CHUNK];
    float *y = to;
    const size_t elem = tn_dtype_size(r->dtype);
    for (int64_t i = 0; i < r->len_in; i += CHUNK) {
        const int64_t n = r->len_in - i < CHUNK ? r->len_in - i : CHUNK;
        tni_to_f64(part, r->dtype, (const char *)from + (size_t)i * elem, n);
        for (int64_t k = 0; k < n; k++) y[i + k] = (float)part[k];
    }
}

static void store(const tni_resample *r, void *to, const void *from)
{
    double part[CHUNK];
    const size_t elem = tn_dtype_size(r->dtype);
    const bool round = r->round && !tni_is_float(r->dtype);
    for (int64_t i = 0; i < r->len_out; i += CHUNK) {
        const int64_t n = r->len_out - i < CHUNK ? r->len_out - i : CHUNK;
        for (int64_t k = 0; k < n; k++) {
            const double v = r->wide ? ((const double *)from)[i + k]
                                     : (double)((const float *)from)[i + k];
            part[k] = round ? nearbyint(v) : v;
        }
        tni_from_f64((char *)to + (size_t)i * elem, r->dtype, part, n);
    }
}

void tni_resample_run(const tni_resample *r, void *to, const void *from,
                      void *scratch, const tni_par *par)
{
    if (r->len_out == 0) return;
    if (r->nearest) {
        TN_ALIGNED(16) char fill[16] = {0};
        tni_tensor one = {.kind = TN_KIND_TENSOR, .dtype = r->dtype, .len = 1,
                          .data = fill};
        if (r->dtype != TN_STRING && r->dtype != TN_C64 &&
            r->dtype != TN_C128)
            tni_set_f64(&one, 0, (double)r->extrapolation);
        tni_map_run(&r->map, to, from, fill, par);
        return;
    }
    if (r->n_passes == 0) {
        memcpy(to, from, (size_t)r->len_in * tn_dtype_size(r->dtype));
        return;
    }
    const bool direct = r->dtype == TN_F32 || r->dtype == TN_F64;
    char *buffers[2] = {scratch, (char *)scratch + r->half};
    const void *x = from;
    if (!direct) {
        load(r, buffers[0], from);
        x = buffers[0];
    }
    for (int k = 0; k < r->n_passes; k++) {
        void *y = direct && k == r->n_passes - 1 ? to : buffers[(k + 1) % 2];
        run_pass(r, &r->passes[k], y, x, par);
        x = y;
    }
    if (!direct) store(r, to, x);
}

/* --- as an operator ---------------------------------------------------------- */

tn_status tni_resample_ref(tni_ref *c, const tni_resample_spec *s)
{
    const tni_tensor *x = c->in[0];
    TN_TRY(tni_ref_output(c, 0, x->dtype, s->rank, s->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_resample *r = tni_ref_scratch(c, sizeof *r);
    if (r == NULL) return tni_ref_nomem(c);
    TN_TRY(tni_resample_init(r, s, x->dtype, x->dims, c->scratch, c->err));
    void *scratch = tni_ref_scratch(c, r->scratch_bytes);
    if (scratch == NULL) return tni_ref_nomem(c);
    tni_resample_run(r, c->out[0]->data, x->data, scratch, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    tni_resample_run(c->state, c->out[0]->data, c->in[0]->data, c->scratch,
                     c->par);
}

tn_status tni_resample_plan(tni_plan *c, const tni_resample_spec *s)
{
    tni_resample *r = TNI_NEW(c->arena, tni_resample);
    if (r == NULL) return no_memory(c->err);
    TN_TRY(tni_resample_init(r, s, c->in[0]->dtype, c->in[0]->dims, c->arena,
                             c->err));
    c->state = r;
    c->scratch_bytes = r->scratch_bytes;
    c->run = run;
    return TN_OK;
}
