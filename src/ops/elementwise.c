/* SPDX-License-Identifier: Apache-2.0 */
/* elementwise.c - the ref and run of elementwise operators */
#include "ops/elementwise.h"

#include <string.h>

enum { BLOCK = 256 }; /* elements that pass through float at a time */

/* --- narrow floats ------------------------------------------------------ */

void tni_widen(const tni_cvt_kernels *cvt, float *to, const void *from,
               tn_dtype dtype, size_t n)
{
    if (cvt != NULL && dtype == TN_F16)
        cvt->f32_from_f16(from, to, n);
    else if (cvt != NULL && dtype == TN_BF16)
        cvt->f32_from_bf16(from, to, n);
    else
        tni_convert(to, TN_F32, from, dtype, n, NULL);
}

void tni_narrow(const tni_cvt_kernels *cvt, void *to, tn_dtype dtype,
                const float *from, size_t n)
{
    if (cvt != NULL && dtype == TN_F16)
        cvt->f16_from_f32(from, to, n);
    else if (cvt != NULL && dtype == TN_BF16)
        cvt->bf16_from_f32(from, to, n);
    else
        tni_convert(to, dtype, from, TN_F32, n, NULL);
}

/* --- one input --------------------------------------------------------- */

typedef struct map_job {
    tni_ew_map_fn fn;        /* NULL: kernel, or through float */
    tni_ew_map_fn through;   /* float loop of a narrow float */
    tni_unary_f32_fn kernel; /* replaces the float loop */
    const tni_cvt_kernels *cvt;
    tn_dtype dtype;
    size_t in_size, out_size;
    bool to_bool;
    tni_ew_args args;
    char *y;
    const char *x;
    size_t n;
} map_job;

static bool is_narrow_float(tn_dtype t)
{
    return t == TN_F16 || t == TN_BF16 ||
           (t >= TN_F8E4M3FN && t <= TN_F8E5M2FNUZ);
}

static void map_float(const map_job *j, void *y, const float *x, size_t n)
{
    if (j->kernel != NULL)
        j->kernel(x, y, n, j->args.f);
    else
        j->through(y, x, n, &j->args);
}

static void map_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const map_job *j = ctx;
    char *y = j->y + first * j->out_size;
    const char *x = j->x + first * j->in_size;
    (void)row;
    if (j->dtype == TN_F32 && j->kernel != NULL) {
        j->kernel((const float *)(const void *)x, (float *)(void *)y, n,
                  j->args.f);
        return;
    }
    if (j->fn != NULL) {
        j->fn(y, x, n, &j->args);
        return;
    }
    float from[BLOCK], to[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        tni_widen(j->cvt, from, x + i * j->in_size, j->dtype, m);
        if (j->to_bool) {
            map_float(j, y + i * j->out_size, from, m);
        } else {
            map_float(j, to, from, m);
            tni_narrow(j->cvt, y + i * j->out_size, j->dtype, to, m);
        }
    }
}

/* False when the table has no loop for the dtype. */
static bool map_init(map_job *j, const tni_ew_map *map, tn_dtype dtype)
{
    memset(j, 0, sizeof *j);
    j->dtype = dtype;
    j->fn = map->fn[dtype];
    if (j->fn == NULL && is_narrow_float(dtype)) j->through = map->fn[TN_F32];
    j->in_size = tn_dtype_size(dtype);
    j->to_bool = map->to_bool;
    j->out_size = map->to_bool ? 1 : j->in_size;
    return j->fn != NULL || j->through != NULL;
}

static void map_kernel(map_job *j, const tni_ew_map *map,
                       const tni_kernels *kernels)
{
    if (kernels == NULL) return;
    j->cvt = &kernels->cvt;
    if (map->has_kernel) j->kernel = kernels->unary.f32[map->kernel];
}

void tni_ew_map_apply_kernel(const tni_par *par, const tni_ew_map *map,
                             const tni_kernels *kernels, tn_dtype dtype,
                             const tni_ew_args *args, void *y, const void *x,
                             size_t n)
{
    map_job j;
    if (!map_init(&j, map, dtype)) return;
    map_kernel(&j, map, kernels);
    if (args != NULL) j.args = *args;
    j.y = y;
    j.x = x;
    tni_rows_for(par, 1, n, map_piece, &j);
}

void tni_ew_map_apply(const tni_par *par, const tni_ew_map *map, tn_dtype dtype,
                      const tni_ew_args *args, void *y, const void *x, size_t n)
{
    tni_ew_map_apply_kernel(par, map, NULL, dtype, args, y, x, n);
}

static tn_status no_loop(tn_err *err, tn_dtype dtype)
{
    return tni_fail(err, TN_EUNSUPPORTED, "no implementation for %s",
                    tn_dtype_name(dtype));
}

tn_status tni_ew_map_ref(tni_ref *c, const tni_ew_map *map)
{
    const tni_tensor *x = c->in[0];
    map_job j;
    if (!map_init(&j, map, x->dtype)) return no_loop(c->err, x->dtype);
    if (map->args != NULL) map->args(&j.args, c->node);
    TN_TRY(tni_ref_output(c, 0, map->to_bool ? TN_BOOL : x->dtype, x->rank,
                          x->dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    j.x = x->data;
    j.y = c->out[0]->data;
    tni_rows_for(c->par, 1, (size_t)x->len, map_piece, &j);
    return TN_OK;
}

static void map_run(const tni_run *c)
{
    map_job j = *(const map_job *)c->state;
    j.x = c->in[0]->data;
    j.y = c->out[0]->data;
    tni_rows_for(c->par, 1, j.n, map_piece, &j);
}

/* Elements of a static type. */
static int64_t type_len(const tni_type *t)
{
    int64_t len = 0;
    return tni_dims_len(&len, t->rank, t->dims) ? len : 0;
}

tn_status tni_ew_map_plan(tni_plan *c, const tni_ew_map *map)
{
    if (c->out[0] == NULL) return TN_OK;
    map_job *j = TNI_NEW(c->arena, map_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tn_dtype dtype = c->in[0]->dtype;
    if (!map_init(j, map, dtype)) return no_loop(c->err, dtype);
    if (map->args != NULL) map->args(&j->args, c->node);
    map_kernel(j, map, c->kernels);
    j->n = (size_t)type_len(c->in[0]);
    c->state = j;
    c->run = map_run;
    return TN_OK;
}

/* --- two inputs -------------------------------------------------------- */

typedef struct zip_job {
    tni_ew_zip_fn fn;
    bool through; /* fn is the float loop of a narrow float */
    bool to_bool;
    bool divides;
    const tni_binary_f32_fn *kernel; /* by form; replaces the float loop */
    const tni_cvt_kernels *cvt;
    tn_dtype dtype;
    size_t in_size, out_size;
    tni_ew_args args;
    tni_bcast bcast;
    int64_t stride[2 * TN_MAX_RANK];
    char *z;
    const char *x, *y;
} zip_job;

/* The narrow floats of a row: one element when it is repeated. */
static void widen_row(const zip_job *j, float *to, const char *from, size_t at,
                      size_t n, size_t step)
{
    tni_widen(j->cvt, to, from + at * step * j->in_size, j->dtype,
              step != 0 ? n : 1);
}

static void zip_call(const zip_job *j, void *z, const void *x, const void *y,
                     size_t n, size_t sx, size_t sy)
{
    if (j->kernel == NULL)
        j->fn(z, x, y, n, sx, sy, &j->args);
    else
        j->kernel[sy == 0   ? TNI_BINARY_VS
                  : sx == 0 ? TNI_BINARY_SV
                            : TNI_BINARY_VV](x, y, z, n);
}

/* n elements of a row, straight or through float. */
static void zip_segment(const zip_job *j, char *z, const char *x, const char *y,
                        size_t n, size_t sx, size_t sy)
{
    if (!j->through) {
        zip_call(j, z, x, y, n, sx, sy);
        return;
    }
    float fx[BLOCK], fy[BLOCK], fz[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        widen_row(j, fx, x, i, m, sx);
        widen_row(j, fy, y, i, m, sy);
        if (j->to_bool) {
            zip_call(j, z + i, fx, fy, m, sx, sy);
        } else {
            zip_call(j, fz, fx, fy, m, sx, sy);
            tni_narrow(j->cvt, z + i * j->out_size, j->dtype, fz, m);
        }
    }
}

static void zip_piece(void *ctx, int64_t at, size_t n)
{
    const zip_job *j = ctx;
    zip_segment(j, j->z + (size_t)at * j->out_size,
                j->x + tni_bcast_offset(&j->bcast, 0, at) * j->in_size,
                j->y + tni_bcast_offset(&j->bcast, 1, at) * j->in_size, n,
                tni_bcast_step(&j->bcast, 0), tni_bcast_step(&j->bcast, 1));
}

/* --- short rows: the last two dimensions at once ------------------------ */

enum { SHORT_ROW = 16 };

static bool has_short_rows(const tni_bcast *b)
{
    if (b->rank < 2 || b->len == 0) return false;
    const int64_t inner = b->dims[b->rank - 1];
    return inner < SHORT_ROW && inner * b->dims[b->rank - 2] >= 32;
}

/* A walk over an input along two dimensions, from element `pos` on. */
typedef struct short_walk {
    size_t inner, i, step, row_step;
    const char *row;
} short_walk;

#define GATHER(T)                                                              \
    do {                                                                       \
        T *to = buf;                                                           \
        for (size_t e = 0; e < m; e++) {                                       \
            to[e] = ((const T *)(const void *)w.row)[w.i * w.step];            \
            if (++w.i == w.inner) {                                            \
                w.i = 0;                                                       \
                w.row += w.row_step * sizeof(T);                               \
            }                                                                  \
        }                                                                      \
    } while (0)

typedef struct wide_elem {
    uint64_t v[2]; /* a string */
} wide_elem;

/* m elements of input k side by side: in the input itself, or in buf. */
static const void *short_operand(const zip_job *j, int k, const char *base,
                                 size_t pos, size_t m, void *buf)
{
    const tni_bcast *b = &j->bcast;
    const int64_t *stride = &b->stride[k * TN_MAX_RANK + b->rank - 2];
    short_walk w = {.inner = (size_t)b->dims[b->rank - 1]};
    w.step = (size_t)stride[1];
    w.row_step = (size_t)stride[0];
    w.i = pos % w.inner;
    if (w.step == 1 && w.row_step == w.inner) return base + pos * j->in_size;
    w.row = base + pos / w.inner * w.row_step * j->in_size;
    switch (j->in_size) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    case 8: GATHER(uint64_t); break;
    default: GATHER(wide_elem); break;
    }
    return buf;
}

#undef GATHER

static void short_piece(void *ctx, size_t row, size_t first, size_t n)
{
    const zip_job *j = ctx;
    const tni_bcast *b = &j->bcast;
    const int64_t inner = b->dims[b->rank - 1];
    const int64_t at = (int64_t)row * b->dims[b->rank - 2] * inner;
    const char *x = j->x + tni_bcast_offset(b, 0, at) * j->in_size;
    const char *y = j->y + tni_bcast_offset(b, 1, at) * j->in_size;
    char *z = j->z + ((size_t)at + first) * j->out_size;
    wide_elem bx[BLOCK], by[BLOCK];
    /* A repeated row is gathered once: blocks hold a whole number of it. */
    const size_t block = BLOCK / (size_t)inner * (size_t)inner;
    const bool same_x = b->stride[b->rank - 2] == 0;
    const bool same_y = b->stride[TN_MAX_RANK + b->rank - 2] == 0;
    const void *px = NULL, *py = NULL;
    for (size_t i = 0; i < n; i += block) {
        const size_t m = n - i < block ? n - i : block;
        if (i == 0 || !same_x) px = short_operand(j, 0, x, first + i, m, bx);
        if (i == 0 || !same_y) py = short_operand(j, 1, y, first + i, m, by);
        zip_segment(j, z + i * j->out_size, px, py, m, 1, 1);
    }
}

static void zip_all(zip_job *j, const tni_par *par)
{
    const tni_bcast *b = &j->bcast;
    if (!has_short_rows(b)) {
        tni_bcast_for(b, par, zip_piece, j);
        return;
    }
    const size_t len = (size_t)(b->dims[b->rank - 1] * b->dims[b->rank - 2]);
    tni_rows_for(par, (size_t)b->len / len, len, short_piece, j);
}

/* The first integer zero of a tensor, -1 when there is none. */
static int64_t find_zero(const tni_tensor *t)
{
    const int64_t n = t->len;
    int64_t i = 0;
#define SCAN(T)                                                                \
    do {                                                                       \
        const T *x = t->data;                                                  \
        while (i < n && x[i] != 0) i++;                                        \
    } while (0)
    if (tni_is_float(t->dtype)) return -1;
    switch (tn_dtype_size(t->dtype)) {
    case 1: SCAN(uint8_t); break;
    case 2: SCAN(uint16_t); break;
    case 4: SCAN(uint32_t); break;
    default: SCAN(uint64_t); break;
    }
#undef SCAN
    return i < n ? i : -1;
}

static bool zip_init(zip_job *j, const tni_ew_zip *zip, tn_dtype dtype)
{
    memset(j, 0, sizeof *j);
    j->dtype = dtype;
    j->fn = zip->fn[dtype];
    if (j->fn == NULL && is_narrow_float(dtype)) {
        j->fn = zip->fn[TN_F32];
        j->through = true;
    }
    j->to_bool = zip->to_bool;
    j->divides = zip->divides;
    j->in_size = tn_dtype_size(dtype);
    j->out_size = zip->to_bool ? 1 : j->in_size;
    return j->fn != NULL;
}

static void zip_kernel(zip_job *j, const tni_ew_zip *zip,
                       const tni_kernels *kernels)
{
    if (kernels == NULL) return;
    j->cvt = &kernels->cvt;
    if (!zip->has_kernel) return;
    if (j->dtype != TN_F32 && !j->through) return;
    const tni_binary_f32_fn *forms = kernels->binary.f32[zip->kernel];
    bool all = true;
    for (int f = 0; f < TNI_N_BINARY_FORM; f++) all = all && forms[f] != NULL;
    if (all) j->kernel = forms;
}

static tn_status place(const tni_ew_zip *zip, tni_shape *in,
                       const tni_node *node, tn_err *err)
{
    if (zip->place != NULL) return zip->place(&in[1], &in[0], node, err);
    return tni_ew_place(&in[1], &in[0], node, err);
}

tn_status tni_ew_zip_ref(tni_ref *c, const tni_ew_zip *zip)
{
    const tni_tensor *x = c->in[0], *y = c->in[1];
    zip_job j;
    if (!zip_init(&j, zip, x->dtype)) return no_loop(c->err, x->dtype);
    if (zip->args != NULL) zip->args(&j.args, c->node);
    tni_shape in[2], out;
    tni_shape_of(&in[0], x);
    tni_shape_of(&in[1], y);
    TN_TRY(place(zip, in, c->node, c->err));
    TN_TRY(tni_bcast_shape(&out, in, 2, c->err));
    TN_TRY(tni_ref_output(c, 0, zip->to_bool ? TN_BOOL : x->dtype, out.rank,
                          out.dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_bcast_init(&j.bcast, j.stride, &out, in, 2);
    const int64_t zero = zip->divides && j.bcast.len > 0 ? find_zero(y) : -1;
    if (zero >= 0)
        return tni_fail(c->err, TN_EINVAL,
                        "integer division by zero: element %lld of input 1",
                        (long long)zero);
    j.x = x->data;
    j.y = y->data;
    j.z = c->out[0]->data;
    zip_all(&j, c->par);
    return TN_OK;
}

static void zip_run(const tni_run *c)
{
    zip_job j = *(const zip_job *)c->state;
    j.x = c->in[0]->data;
    j.y = c->in[1]->data;
    j.z = c->out[0]->data;
    if (j.divides && j.bcast.len > 0 && find_zero(c->in[1]) >= 0)
        tni_run_fault(c, "integer division by zero");
    zip_all(&j, c->par);
}

tn_status tni_ew_zip_plan(tni_plan *c, const tni_ew_zip *zip)
{
    if (c->out[0] == NULL) return TN_OK;
    zip_job *j = TNI_NEW(c->arena, zip_job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    const tn_dtype dtype = c->in[0]->dtype;
    if (!zip_init(j, zip, dtype)) return no_loop(c->err, dtype);
    if (zip->args != NULL) zip->args(&j->args, c->node);
    zip_kernel(j, zip, c->kernels);
    tni_shape in[2], out;
    tni_shape_of_type(&in[0], c->in[0]);
    tni_shape_of_type(&in[1], c->in[1]);
    TN_TRY(place(zip, in, c->node, c->err));
    TN_TRY(tni_bcast_shape(&out, in, 2, c->err));
    /* Before opset 7 the output is declared to be like input 0. */
    const tni_type *declared = c->out[0];
    bool same = declared->rank == out.rank;
    for (int d = 0; same && d < out.rank; d++)
        same = declared->dims[d] == out.dims[d];
    if (!same)
        return tni_fail(c->err, TN_EINVAL,
                        "input 1 does not broadcast to the shape of input 0");
    tni_bcast_init(&j->bcast, j->stride, &out, in, 2);
    c->state = j;
    c->run = zip_run;
    return TN_OK;
}

/* --- any number of inputs ---------------------------------------------- */

typedef struct fold_job {
    zip_job zip; /* loop and dtype; the pointers are not used */
    bool mean;
    int n_in;
    tni_bcast bcast;
    const tni_tensor *const *in;
    char *out;
} fold_job;

/* Row of input k as the accumulator's dtype; a pointer into the tensor when
 * that is the same. */
static const void *fold_row(const fold_job *j, int k, int64_t at, size_t m,
                            float *buf)
{
    const size_t size = j->zip.in_size;
    const char *x = TNI_CDATA(char, j->in[k]);
    x += tni_bcast_offset(&j->bcast, k, at) * size;
    if (!j->zip.through) return x;
    widen_row(&j->zip, buf, x, 0, m, tni_bcast_step(&j->bcast, k));
    return buf;
}

static void fold_mean(void *acc, tn_dtype dtype, size_t m, int n_in)
{
    if (dtype == TN_F64) {
        double *a = acc;
        for (size_t i = 0; i < m; i++) a[i] /= (double)n_in;
    } else {
        float *a = acc;
        for (size_t i = 0; i < m; i++) a[i] /= (float)n_in;
    }
}

/* The inputs of a block are read before its output is written, so that the
 * output may have the memory of any of them. */
static void fold_piece(void *ctx, int64_t at, size_t n)
{
    const fold_job *j = ctx;
    const size_t size = j->zip.in_size;
    const tn_dtype dtype = j->zip.through ? TN_F32 : j->zip.dtype;
    union {
        double f64[BLOCK];
        float f32[BLOCK];
        int64_t i64[BLOCK];
    } acc;
    float buf[BLOCK];
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        const int64_t here = at + (int64_t)i;
        const void *x = fold_row(j, 0, here, m, buf);
        const size_t wide = tn_dtype_size(dtype);
        if (tni_bcast_step(&j->bcast, 0) != 0)
            memcpy(&acc, x, m * wide);
        else
            for (size_t e = 0; e < m; e++)
                memcpy((char *)&acc + e * wide, x, wide);
        for (int k = 1; k < j->n_in; k++) {
            x = fold_row(j, k, here, m, buf);
            zip_call(&j->zip, &acc, &acc, x, m, 1,
                     tni_bcast_step(&j->bcast, k));
        }
        if (j->mean) fold_mean(&acc, dtype, m, j->n_in);
        tni_convert(j->out + (size_t)here * size, j->zip.dtype, &acc, dtype, m,
                    NULL);
    }
}

tn_status tni_ew_fold_ref(tni_ref *c, const tni_ew_fold *fold)
{
    const tn_dtype dtype = c->in[0]->dtype;
    fold_job j = {.mean = fold->mean, .n_in = c->n_in, .in = c->in};
    if (!zip_init(&j.zip, fold->zip, dtype)) return no_loop(c->err, dtype);
    tni_shape *in = tni_ref_scratch(c, (size_t)c->n_in * sizeof *in);
    int64_t *stride = tni_ref_scratch(c, (size_t)c->n_in * TN_MAX_RANK * 8);
    if (in == NULL || stride == NULL) return tni_ref_nomem(c);
    for (int k = 0; k < c->n_in; k++) tni_shape_of(&in[k], c->in[k]);
    tni_shape out;
    TN_TRY(tni_bcast_shape(&out, in, c->n_in, c->err));
    TN_TRY(tni_ref_output(c, 0, dtype, out.rank, out.dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    tni_bcast_init(&j.bcast, stride, &out, in, c->n_in);
    j.out = c->out[0]->data;
    tni_bcast_for(&j.bcast, c->par, fold_piece, &j);
    return TN_OK;
}

static void fold_run(const tni_run *c)
{
    fold_job j = *(const fold_job *)c->state;
    j.in = c->in;
    j.out = c->out[0]->data;
    tni_bcast_for(&j.bcast, c->par, fold_piece, &j);
}

tn_status tni_ew_fold_plan(tni_plan *c, const tni_ew_fold *fold)
{
    if (c->n_in == 2 && !fold->mean) return tni_ew_zip_plan(c, fold->zip);
    if (c->out[0] == NULL) return TN_OK;
    fold_job *j = TNI_NEW(c->arena, fold_job);
    tni_shape *in = TNI_NEW_ARRAY(c->arena, tni_shape, c->n_in);
    int64_t *stride =
        TNI_NEW_ARRAY(c->arena, int64_t, (size_t)c->n_in * TN_MAX_RANK);
    if (j == NULL || in == NULL || stride == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    j->mean = fold->mean;
    j->n_in = c->n_in;
    const tn_dtype dtype = c->in[0]->dtype;
    if (!zip_init(&j->zip, fold->zip, dtype)) return no_loop(c->err, dtype);
    zip_kernel(&j->zip, fold->zip, c->kernels);
    for (int k = 0; k < c->n_in; k++) tni_shape_of_type(&in[k], c->in[k]);
    tni_shape out;
    tni_shape_of_type(&out, c->out[0]);
    tni_bcast_init(&j->bcast, stride, &out, in, c->n_in);
    c->state = j;
    c->run = fold_run;
    return TN_OK;
}

/* --- signatures of opsets 1 to 6 --------------------------------------- */

const tni_attr_spec tni_ew_legacy_attrs[3] = {
    {"axis", TNI_ATTR_INT, NULL},
    {"broadcast", TNI_ATTR_INT, "0"},
    {"consumed_inputs", TNI_ATTR_INTS, NULL},
};
const tni_attr_spec tni_ew_consumed_attrs[1] = {
    {"consumed_inputs", TNI_ATTR_INTS, NULL},
};

tn_status tni_infer_legacy(tni_infer *c)
{
    return tni_infer_same(c, 0, 0);
}

tn_status tni_infer_legacy_compare(tni_infer *c)
{
    return tni_infer_unary_bool(c);
}

tn_status tni_infer_unary_bool(tni_infer *c)
{
    TN_TRY(tni_infer_same(c, 0, 0));
    if (c->n_out > 0 && c->out[0].kind == TN_KIND_TENSOR)
        c->out[0].dtype = TN_BOOL;
    return TN_OK;
}

tn_status tni_ew_place(tni_shape *b, const tni_shape *a, const tni_node *node,
                       tn_err *err)
{
    /* Later versions have neither attribute: NumPy's rule is left alone. */
    if (tni_attr_int(node, "broadcast", 0) == 0 ||
        tni_attr_find(node, "axis") == NULL)
        return TN_OK;
    int64_t len = 0;
    if (tni_dims_len(&len, b->rank, b->dims) && len == 1) {
        b->rank = 0;
        return TN_OK;
    }
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(node, "axis", 0), a->rank, err));
    if (axis + b->rank > a->rank)
        return tni_fail(err, TN_EINVAL,
                        "input 1 of rank %d at axis %d exceeds rank %d of "
                        "input 0",
                        b->rank, axis, a->rank);
    while (axis + b->rank < a->rank) b->dims[b->rank++] = 1;
    return TN_OK;
}
