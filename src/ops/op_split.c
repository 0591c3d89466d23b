/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_split.c - ONNX Split, opsets 1, 2, 13, 18
 *
 * Shapes:  input[… d …]  ->  outputs[… s(i) …] with the s(i) adding up to d
 * Types:   all
 * Errors:  EINVAL the parts do not add up, or do not divide evenly (< 18)
 * Numeric: bit-exact
 */
#include "ops/infer.h"
#include "ops/move.h"

/* Where the sizes of the parts come from. */
typedef struct parts {
    const tni_tensor *input;
    const int64_t *attr;
    int n_attr;
    int n_out;
} parts;

static parts parts_of(const tni_node *node, const tni_tensor *input, int n_out)
{
    parts p = {.input = input, .n_out = n_out};
    if (input == NULL) p.attr = tni_attr_ints(node, "split", &p.n_attr);
    return p;
}

/* Size of part i of an axis of extent `dim` (may be unknown). */
static tn_status part_size(int64_t *size, const parts *p, const tni_node *node,
                           int opset, int i, int64_t dim, tn_err *err)
{
    const int64_t given = p->input != NULL ? p->input->len : (int64_t)p->n_attr;
    if (given > 0 || p->input != NULL) {
        if (given != p->n_out)
            return tni_fail(err, TN_EINVAL,
                            "%lld sizes in split, but %d outputs",
                            (long long)given, p->n_out);
        *size = p->input != NULL ? tni_get_i64(p->input, i) : p->attr[i];
        if (*size < 0)
            return tni_fail(err, TN_EINVAL, "size %lld of part %d is negative",
                            (long long)*size, i);
        return TN_OK;
    }
    *size = TNI_DIM_UNKNOWN;
    if (dim < 0) {
        if (p->n_out == 1) *size = dim;
        return TN_OK;
    }
    int64_t n = p->n_out;
    if (opset >= 18) {
        n = tni_attr_int(node, "num_outputs", n);
        if (n < p->n_out || n < 1)
            return tni_fail(err, TN_EINVAL,
                            "num_outputs is %lld, but there are %d outputs",
                            (long long)n, p->n_out);
    } else if (dim % n != 0) {
        return tni_fail(err, TN_EINVAL,
                        "extent %lld does not divide into %d equal parts",
                        (long long)dim, p->n_out);
    }
    const int64_t each = dim / n + (dim % n != 0 ? 1 : 0);
    const int64_t begin = each * i < dim ? each * i : dim;
    *size = dim - begin < each ? dim - begin : each;
    return TN_OK;
}

static tn_status check_sum(int64_t sum, int64_t dim, const parts *p,
                           tn_err *err)
{
    if ((p->input != NULL || p->n_attr > 0) && sum != dim)
        return tni_fail(err, TN_EINVAL,
                        "the parts add up to %lld, the axis has %lld",
                        (long long)sum, (long long)dim);
    return TN_OK;
}

static tn_status infer(tni_infer *c)
{
    const tn_dtype dtype = tni_infer_dtype(c, 0);
    for (int i = 0; i < c->n_out; i++) tni_infer_unranked(c, i, dtype);
    if (!tni_infer_ranked(c, 0)) return TN_OK;
    const tni_type *x = c->in[0];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    int64_t dims[TN_MAX_RANK];
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    const parts p = parts_of(c->node, tni_infer_const(c, 1), c->n_out);
    const bool unknown = tni_infer_has(c, 1) && p.input == NULL;
    int64_t sum = 0;
    bool known = x->dims[axis] >= 0;
    for (int i = 0; i < c->n_out; i++) {
        dims[axis] = TNI_DIM_UNKNOWN;
        if (!unknown)
            TN_TRY(part_size(&dims[axis], &p, c->node, c->opset, i,
                             x->dims[axis], c->err));
        if (dims[axis] < 0)
            known = false;
        else
            sum += dims[axis];
        TN_TRY(tni_infer_dims(c, i, dtype, x->rank, dims));
    }
    return known ? check_sum(sum, x->dims[axis], &p, c->err) : TN_OK;
}

static void init_part(tni_copy *p, tn_dtype dtype, int rank, int axis,
                      const int64_t *dims, int64_t size)
{
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < axis; d++) outer *= dims[d];
    for (int d = axis + 1; d < rank; d++) inner *= dims[d];
    const int64_t len[2] = {outer, size * inner};
    const int64_t to[2] = {len[1], 1}, from[2] = {dims[axis] * inner, 1};
    tni_copy_init(p, tn_dtype_size(dtype), 2, len, to, from);
}

static tn_status ref(tni_ref *c)
{
    const tni_tensor *x = c->in[0];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    const parts p =
        parts_of(c->node, tni_ref_has(c, 1) ? c->in[1] : NULL, c->n_out);
    int64_t dims[TN_MAX_RANK], sum = 0;
    for (int d = 0; d < x->rank; d++) dims[d] = x->dims[d];
    for (int i = 0; i < c->n_out; i++) {
        int64_t size = 0;
        TN_TRY(
            part_size(&size, &p, c->node, c->opset, i, x->dims[axis], c->err));
        if (size > x->dims[axis] - sum)
            return tni_fail(c->err, TN_EINVAL,
                            "the parts exceed the axis, which has %lld",
                            (long long)x->dims[axis]);
        sum += size;
    }
    TN_TRY(check_sum(sum, x->dims[axis], &p, c->err));
    int64_t inner = (int64_t)tn_dtype_size(x->dtype);
    if (x->len > 0)
        for (int d = axis + 1; d < x->rank; d++) inner *= x->dims[d];
    int64_t begin = 0;
    for (int i = 0; i < c->n_out; i++) {
        TN_TRY(part_size(&dims[axis], &p, c->node, c->opset, i, x->dims[axis],
                         c->err));
        TN_TRY(tni_ref_output(c, i, x->dtype, x->rank, dims));
        if (tni_ref_wants(c, i) && c->out[i]->len > 0) {
            tni_copy copy;
            init_part(&copy, x->dtype, x->rank, axis, x->dims, dims[axis]);
            tni_copy_run(&copy, c->out[i]->data,
                         (const char *)x->data + begin * inner, c->par);
        }
        begin += dims[axis];
    }
    return TN_OK;
}

typedef struct state {
    int n;
    tni_copy *copies;
    int64_t *offsets; /* bytes into the input */
} state;

static void run(const tni_run *c)
{
    const state *s = c->state;
    const char *from = c->in[0]->data;
    for (int i = 0; i < s->n; i++)
        if (c->out[i] != NULL)
            tni_copy_run(&s->copies[i], c->out[i]->data, from + s->offsets[i],
                         c->par);
}

static tn_status plan(tni_plan *c)
{
    const tni_type *x = c->in[0];
    int axis = 0;
    TN_TRY(tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, c->err));
    if (c->n_in > 1 && c->in[1] != NULL && c->in_const[1] == NULL)
        return TN_OK; /* sizes come at run: ref checks them */
    const parts p = parts_of(
        c->node, c->n_in > 1 && c->in[1] != NULL ? c->in_const[1] : NULL,
        c->n_out);
    state *s = TNI_NEW(c->arena, state);
    tni_copy *copies = TNI_NEW_ARRAY(c->arena, tni_copy, c->n_out);
    int64_t *offsets = TNI_NEW_ARRAY(c->arena, int64_t, c->n_out);
    if (s == NULL || copies == NULL || offsets == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    int64_t inner = (int64_t)tn_dtype_size(x->dtype), begin = 0;
    bool empty = false;
    for (int d = 0; d < x->rank; d++) empty |= x->dims[d] == 0;
    for (int d = axis + 1; d < x->rank && !empty; d++) inner *= x->dims[d];
    for (int i = 0; i < c->n_out && !empty; i++) {
        int64_t size = 0;
        TN_TRY(
            part_size(&size, &p, c->node, c->opset, i, x->dims[axis], c->err));
        init_part(&copies[i], x->dtype, x->rank, axis, x->dims, size);
        offsets[i] = begin * inner;
        begin += size;
    }
    *s = (state){empty ? 0 : c->n_out, copies, offsets};
    c->state = s;
    c->run = run;
    return TN_OK;
}

static bool piece(const tni_plan *c, int k, size_t *offset)
{
    const tni_type *x = c->in[0];
    int axis = 0;
    int64_t size = 0, begin = 0, inner = 1;
    const bool sized = c->n_in > 1 && c->in[1] != NULL;
    if (tni_axis(&axis, tni_attr_int(c->node, "axis", 0), x->rank, NULL) !=
            TN_OK ||
        (sized && c->in_const[1] == NULL))
        return false;
    for (int d = 0; d < axis; d++)
        if (x->dims[d] != 1) return false;
    const parts p = parts_of(c->node, sized ? c->in_const[1] : NULL, c->n_out);
    for (int i = 0; i <= k; i++) {
        if (part_size(&size, &p, c->node, c->opset, i, x->dims[axis], NULL) !=
                TN_OK ||
            size > x->dims[axis] - begin)
            return false;
        if (i < k) begin += size;
    }
    for (int d = axis + 1; d < x->rank; d++) inner *= x->dims[d];
    *offset = (size_t)(begin * inner) * tn_dtype_size(x->dtype);
    return true;
}

static const tni_arg ins[] = {{"input", TNI_ANY, 'T', 0},
                              {"split", TNI_T(TN_I64), 0, TNI_OPTIONAL}};
static const tni_arg ins_1[] = {{"input", TNI_ANY, 'T', 0},
                                {"split", TNI_ANY, 0, TNI_OPTIONAL}};
static const tni_arg outs[] = {{"outputs", TNI_ANY, 'T', TNI_VARIADIC}};
static const tni_attr_spec attrs_18[] = {{"axis", TNI_ATTR_INT, "0"},
                                         {"num_outputs", TNI_ATTR_INT, NULL}};
static const tni_attr_spec attrs_2[] = {{"axis", TNI_ATTR_INT, "0"},
                                        {"split", TNI_ATTR_INTS, NULL}};

static const tni_op_version versions[] = {
    {.since = 18,
     TNI_IN(ins),
     TNI_OUT(outs),
     TNI_ATTRS(attrs_18),
     .traits = TNI_CUTS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
    {.since = 13,
     TNI_IN(ins),
     TNI_OUT(outs),
     .attrs = attrs_2,
     .n_attrs = 1,
     .traits = TNI_CUTS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
    {.since = 2,
     .in = ins,
     .n_in = 1,
     TNI_OUT(outs),
     TNI_ATTRS(attrs_2),
     .traits = TNI_CUTS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
    {.since = 1,
     TNI_IN(ins_1),
     TNI_OUT(outs),
     TNI_ATTRS(attrs_2),
     .traits = TNI_CUTS,
     .infer = infer,
     .ref = ref,
     .plan = plan,
     .piece = piece},
};

const tni_op tni_op_split = {
    .domain = "",
    .name = "Split",
    .summary = "Cuts a tensor into parts along one axis",
    TNI_VERSIONS(versions),
};
