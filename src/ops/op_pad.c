/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_pad.c - ONNX Pad, opsets 1, 2, 11, 18
 *
 * Shapes:  data[d…], pads[2n]  ->  output[begin + d + end …]; negative pads
 *          cut
 * Types:   all
 * Attrs:   mode: constant, reflect, edge, wrap
 * Errors:  EINVAL a negative extent comes out, nothing there to reflect
 * Numeric: bit-exact
 *
 * In the modes that repeat data, a negative pad cuts first and the rest is
 * what repeats.
 */
#include "base/checked.h"
#include "ops/infer.h"
#include "ops/move.h"

#include <string.h>

typedef enum mode { CONSTANT, REFLECT, EDGE, WRAP } mode;

typedef struct pads {
    int64_t begin[TN_MAX_RANK], end[TN_MAX_RANK];
} pads;

static tn_status mode_of(mode *m, const tni_node *node, tn_err *err)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    for (int i = 0; i < TNI_COUNT(names); i++)
        if (tni_attr_is(node, "mode", names[i], "constant")) {
            *m = (mode)i;
            return TN_OK;
        }
    return tni_fail(err, TN_EINVAL,
                    "mode is none of constant, reflect, edge, wrap");
}

static int64_t pad_at(const tni_tensor *t, const int64_t *attr, int64_t i)
{
    return t != NULL ? tni_get_i64(t, i) : attr[i];
}

/* `list` is the pads input, or NULL for the attribute of opsets below 11. */
static tn_status pads_of(pads *p, const tni_node *node, int opset, int rank,
                         const tni_tensor *list, const tni_tensor *axes,
                         tn_err *err)
{
    memset(p, 0, sizeof *p);
    int n_attr = 0;
    const int64_t *attr = NULL;
    if (list == NULL)
        attr = tni_attr_ints(node, opset < 2 ? "paddings" : "pads", &n_attr);
    const int64_t n = list != NULL ? list->len : n_attr;
    int64_t at[TN_MAX_RANK];
    int n_axes = rank;
    if (axes != NULL) {
        uint32_t mask = 0;
        TN_TRY(tni_tensor_ints(at, &n_axes, axes, err));
        TN_TRY(tni_axes_mask(&mask, at, n_axes, rank, err));
    }
    if (n != 2 * (int64_t)n_axes)
        return tni_fail(err, TN_EINVAL, "%lld pads for %d axes, expected %d",
                        (long long)n, n_axes, 2 * n_axes);
    for (int i = 0; i < n_axes; i++) {
        int axis = i;
        if (axes != NULL) TN_TRY(tni_axis(&axis, at[i], rank, err));
        p->begin[axis] = pad_at(list, attr, i);
        p->end[axis] = pad_at(list, attr, n_axes + i);
    }
    return TN_OK;
}

static tn_status padded(int64_t *out, const pads *p, int rank,
                        const int64_t *dims, tn_err *err)
{
    for (int d = 0; d < rank; d++) {
        if (dims[d] < 0) {
            out[d] = p->begin[d] == 0 && p->end[d] == 0 ? dims[d]
                                                        : TNI_DIM_UNKNOWN;
            continue;
        }
        if (!tni_add_i64(dims[d], p->begin[d], &out[d]) ||
            !tni_add_i64(out[d], p->end[d], &out[d]) || out[d] < 0)
            return tni_fail(err, TN_EINVAL,
                            "pads %lld and %lld of axis %d with extent %lld",
                            (long long)p->begin[d], (long long)p->end[d], d,
                            (long long)dims[d]);
    }
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    tni_infer_unranked(c, 0, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int64_t dims[TN_MAX_RANK];
    const tni_tensor *list = tni_infer_const(c, 1);
    const tni_tensor *axes = tni_infer_const(c, 3);
    mode m = CONSTANT;
    TN_TRY(mode_of(&m, c->node, c->err));
    if (c->opset >= 11 &&
        (list == NULL || (tni_infer_has(c, 3) && axes == NULL))) {
        for (int d = 0; d < x->rank; d++) dims[d] = TNI_DIM_UNKNOWN;
        return tni_infer_dims(c, 0, dtype, x->rank, dims);
    }
    pads p;
    TN_TRY(pads_of(&p, c->node, c->opset, x->rank, list, axes, c->err));
    TN_TRY(padded(dims, &p, x->rank, x->dims, c->err));
    return tni_infer_dims(c, 0, dtype, x->rank, dims);
}

/* --- the work, prepared from shapes --------------------------------------- */

typedef struct job {
    mode m;
    int64_t len; /* of the output */
    size_t elem;
    float value;                  /* of the attribute, below opset 11 */
    tni_copy inside;              /* CONSTANT */
    int64_t inside_to, inside_from; /* bytes */
    bool covers;                  /* CONSTANT: nothing but `inside` */
    bool has_value;               /* there is an input constant_value */
    tni_map map;                  /* the others */
} job;

/* Where index i of [0, n) + pads comes from, in a range of n >= 1 elements. */
static int64_t source(int64_t i, int64_t n, mode m)
{
    if (m == EDGE) return i < 0 ? 0 : i >= n ? n - 1 : i;
    if (m == WRAP) {
        i %= n;
        return i < 0 ? i + n : i;
    }
    if (n == 1) return 0;
    const int64_t period = 2 * (n - 1);
    i %= period;
    if (i < 0) i += period;
    return i < n ? i : period - i;
}

static tn_status init_map(job *j, const pads *p, int rank, const int64_t *dims,
                          const int64_t *out, tni_arena *arena, tn_err *err)
{
    const int64_t *at[TN_MAX_RANK] = {NULL};
    int64_t strides[TN_MAX_RANK];
    tni_strides(strides, rank, dims);
    for (int d = 0; d < rank; d++) {
        const int64_t cut_begin = p->begin[d] < 0 ? -p->begin[d] : 0;
        const int64_t cut_end = p->end[d] < 0 ? -p->end[d] : 0;
        const int64_t n = dims[d] - cut_begin - cut_end;
        if (n < 1 && out[d] > 0)
            return tni_fail(err, TN_EINVAL,
                            "axis %d of extent %lld has nothing to repeat", d,
                            (long long)dims[d]);
        int64_t *map = TNI_NEW_ARRAY(arena, int64_t, out[d] > 0 ? out[d] : 1);
        if (map == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        const int64_t shift = p->begin[d] > 0 ? p->begin[d] : 0;
        for (int64_t i = 0; i < out[d]; i++)
            map[i] = (cut_begin + source(i - shift, n, j->m)) * strides[d];
        at[d] = map;
    }
    tni_map_init(&j->map, j->elem, rank, out, dims, at);
    return TN_OK;
}

static void init_inside(job *j, const pads *p, int rank, const int64_t *dims,
                        const int64_t *out)
{
    int64_t to[TN_MAX_RANK], from[TN_MAX_RANK], size[TN_MAX_RANK];
    tni_strides(to, rank, out);
    tni_strides(from, rank, dims);
    j->covers = true;
    bool empty = false;
    for (int d = 0; d < rank; d++) {
        const int64_t cut_begin = p->begin[d] < 0 ? -p->begin[d] : 0;
        const int64_t cut_end = p->end[d] < 0 ? -p->end[d] : 0;
        /* Both cuts together may leave nothing: then only value remains. */
        size[d] = cut_begin < dims[d] && cut_end < dims[d] - cut_begin
                      ? dims[d] - cut_begin - cut_end
                      : 0;
        empty |= size[d] == 0;
        if (size[d] != out[d]) j->covers = false;
        if (size[d] == 0) continue;
        if (p->begin[d] > 0) j->inside_to += p->begin[d] * to[d];
        j->inside_from += cut_begin * from[d];
    }
    if (empty) j->inside_to = j->inside_from = 0;
    j->inside_to *= (int64_t)j->elem;
    j->inside_from *= (int64_t)j->elem;
    tni_copy_init(&j->inside, j->elem, rank, size, to, from);
}

static tn_status init_job(job *j, const tni_node *node, const pads *p,
                          tn_dtype dtype, int rank, const int64_t *dims,
                          const int64_t *out, tni_arena *arena, tn_err *err)
{
    memset(j, 0, sizeof *j);
    TN_TRY(mode_of(&j->m, node, err));
    j->elem = tn_dtype_size(dtype);
    j->value = tni_attr_float(node, "value", 0.0f);
    if (!tni_dims_len(&j->len, rank, out))
        return tni_fail(err, TN_ELIMIT, "the element count overflows");
    if (j->len == 0) return TN_OK;
    if (j->m != CONSTANT)
        return init_map(j, p, rank, dims, out, arena, err);
    init_inside(j, p, rank, dims, out);
    return TN_OK;
}

typedef struct fill_job {
    char *to;
    const void *value;
    size_t elem;
    int64_t n;
} fill_job;

enum { FILL_GRAIN = 32 * 1024 }; /* elements */

static void fill_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    (void)worker;
    const fill_job *f = ctx;
    const int64_t first = (int64_t)begin * FILL_GRAIN;
    int64_t last = (int64_t)end * FILL_GRAIN;
    if (last > f->n) last = f->n;
    tni_fill(f->to + (size_t)first * f->elem, f->value, f->elem, last - first);
}

static void pad(const job *j, tni_tensor *y, const tni_tensor *x,
                const tni_tensor *value, const tni_par *par)
{
    if (j->len == 0) return;
    if (j->m != CONSTANT) {
        tni_map_run(&j->map, y->data, x->data, NULL, par);
        return;
    }
    if (!j->covers) {
        TN_ALIGNED(16) char bytes[16] = {0};
        tni_tensor one = {.kind = TN_KIND_TENSOR, .dtype = x->dtype, .len = 1,
                          .data = bytes};
        if (value != NULL)
            memcpy(bytes, value->data, j->elem);
        else if (x->dtype != TN_STRING && j->value != 0.0f)
            tni_set_f64(&one, 0, (double)j->value);
        fill_job f = {y->data, bytes, j->elem, j->len};
        tni_par_for(par, (size_t)((j->len + FILL_GRAIN - 1) / FILL_GRAIN),
                    fill_tasks, &f);
    }
    tni_copy_run(&j->inside, (char *)y->data + j->inside_to,
                 (const char *)x->data + j->inside_from, par);
}

static tn_status check_value(const tni_tensor *value, tn_dtype dtype,
                             tn_err *err)
{
    if (value == NULL || (value->len == 1 && value->dtype == dtype))
        return TN_OK;
    char text[120];
    return tni_fail(err, TN_EINVAL, "constant_value is %s, expected one %s",
                    tni_shape_text(text, sizeof text, value),
                    tn_dtype_name(dtype));
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    const tni_tensor *value = tni_ref_has(c, 2) ? c->in[2] : NULL;
    int64_t dims[TN_MAX_RANK];
    pads p;
    job j;
    TN_TRY(check_value(value, x->dtype, c->err));
    TN_TRY(pads_of(&p, c->node, c->opset, x->rank,
                   tni_ref_has(c, 1) ? c->in[1] : NULL,
                   tni_ref_has(c, 3) ? c->in[3] : NULL, c->err));
    TN_TRY(padded(dims, &p, x->rank, x->dims, c->err));
    TN_TRY(tni_ref_output(c, 0, x->dtype, x->rank, dims));
    if (!tni_ref_wants(c, 0)) return TN_OK;
    TN_TRY(init_job(&j, c->node, &p, x->dtype, x->rank, x->dims, dims,
                    c->scratch, c->err));
    pad(&j, c->out[0], x, value, c->par);
    return TN_OK;
}

static void run(const tni_run *c)
{
    const job *j = c->state;
    pad(j, c->out[0], c->in[0], j->has_value ? c->in[2] : NULL, c->par);
}

static tn_status plan(tni_plan *c)
{
    const tni_type *x = c->in[0], *y = c->out[0];
    const tni_tensor *list = NULL, *axes = NULL;
    if (c->n_in > 1 && c->in[1] != NULL) {
        list = c->in_const[1];
        if (list == NULL) return TN_OK; /* pads come at run: ref */
    }
    if (c->n_in > 3 && c->in[3] != NULL) {
        axes = c->in_const[3];
        if (axes == NULL) return TN_OK;
    }
    if (c->n_in > 2 && c->in[2] != NULL) {
        int64_t len = 0;
        if (!tni_dims_len(&len, c->in[2]->rank, c->in[2]->dims) || len != 1 ||
            c->in[2]->dtype != x->dtype)
            return TN_OK; /* ref says what is wrong */
    }
    pads p;
    TN_TRY(pads_of(&p, c->node, c->opset, x->rank, list, axes, c->err));
    job *j = TNI_NEW(c->arena, job);
    if (j == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    TN_TRY(init_job(j, c->node, &p, x->dtype, x->rank, x->dims, y->dims,
                    c->arena, c->err));
    j->has_value = c->n_in > 2 && c->in[2] != NULL;
    c->state = j;
    c->run = run;
    return TN_OK;
}

static const tni_arg ins[] = {
    {"data", TNI_ANY, 'T', 0},
    {"pads", TNI_T(TN_I64), 0, 0},
    {"constant_value", TNI_ANY, 'T', TNI_OPTIONAL},
    {"axes", TNI_T(TN_I32) | TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"output", TNI_ANY, 'T', 0}};
static const tni_attr_spec attrs_11[] = {
    {"mode", TNI_ATTR_STRING, "constant"}};
static const tni_attr_spec attrs_2[] = {{"mode", TNI_ATTR_STRING, "constant"},
                                        {"pads", TNI_ATTR_INTS, "required"},
                                        {"value", TNI_ATTR_FLOAT, "0"}};
static const tni_attr_spec attrs_1[] = {
    {"mode", TNI_ATTR_STRING, "constant"},
    {"paddings", TNI_ATTR_INTS, "required"},
    {"value", TNI_ATTR_FLOAT, "0"}};

static const tni_op_version versions[] = {
    {.since = 18, TNI_IN(ins), TNI_OUT(outs), TNI_ATTRS(attrs_11),
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 11, .in = ins, .n_in = 3, TNI_OUT(outs), TNI_ATTRS(attrs_11),
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 2, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_2),
     .infer = infer, .ref = ref, .plan = plan},
    {.since = 1, .in = ins, .n_in = 1, TNI_OUT(outs), TNI_ATTRS(attrs_1),
     .infer = infer, .ref = ref, .plan = plan},
};

const tni_op tni_op_pad = {
    .domain = "",
    .name = "Pad",
    .summary = "Adds elements around a tensor, or cuts them",
    TNI_VERSIONS(versions),
};
