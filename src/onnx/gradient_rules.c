/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gradient_rules.c - the derivative of each operator, as ai.onnx operators
 *
 * Nothing is known about types and ranks while a model is decoded, so rules
 * ask for shapes at run: what broadcasting repeated is summed over the axes on
 * which the shapes differ.
 */
#include "onnx/gradient.h"

#include <limits.h>

/* --- builders ------------------------------------------------------------ */

static tni_attr int_attr(const char *name, int64_t v)
{
    tni_attr a = {.name = name, .kind = TNI_ATTR_INT};
    a.v.i = v;
    return a;
}

static tni_attr float_attr(const char *name, float v)
{
    tni_attr a = {.name = name, .kind = TNI_ATTR_FLOAT};
    a.v.f = v;
    return a;
}

static tni_value *made(const tni_node *node)
{
    return node != NULL ? node->out[0] : NULL;
}

/* One output, one attribute (name NULL: none). */
static tni_value *with(tni_grad *c, const char *op, int n_in,
                       tni_value *const *in, tni_attr attr)
{
    return made(
        tni_grad_node(c, op, n_in, in, 1, &attr, attr.name != NULL ? 1 : 0));
}

static tni_value *one(tni_grad *c, const char *op, tni_value *a)
{
    return tni_grad_1(c, op, a);
}

static tni_value *two(tni_grad *c, const char *op, tni_value *a, tni_value *b)
{
    return tni_grad_2(c, op, a, b);
}

static tni_value *constant(tni_grad *c, tn_dtype dtype, int rank, int64_t len,
                           const void *data)
{
    if (c->status != TN_OK) return NULL;
    tni_decoder *d = c->d;
    tni_tensor *t = TNI_NEW(d->arena, tni_tensor);
    tni_value *v = NULL;
    if (t == NULL) {
        c->status = tni_decode_nomem(d);
        return NULL;
    }
    c->status = tni_tensor_alloc(t, d->arena, dtype, rank, &len, d->err);
    if (c->status != TN_OK) return NULL;
    if (t->len > 0)
        memcpy(t->data, data, (size_t)t->len * tn_dtype_size(dtype));
    v = tni_graph_add_constant(c->graph, "", t);
    if (v == NULL) c->status = tni_decode_nomem(d);
    return v;
}

/* An int64 tensor of one element. */
static tni_value *index_of(tni_grad *c, int64_t v)
{
    return constant(c, TN_I64, 1, 1, &v);
}

/* A scalar of the type of `like`. */
static tni_value *number(tni_grad *c, double v, tni_value *like)
{
    return two(c, "CastLike", constant(c, TN_F64, 0, 0, &v), like);
}

static tni_value *shape_of(tni_grad *c, tni_value *x)
{
    return one(c, "Shape", x);
}

static tni_value *reshape(tni_grad *c, tni_value *x, tni_value *shape)
{
    tni_value *const in[2] = {x, shape};
    return with(c, "Reshape", 2, in, int_attr("allowzero", 1));
}

static tni_value *join(tni_grad *c, int n, tni_value *const *shapes)
{
    return with(c, "Concat", n, shapes, int_attr("axis", 0));
}

/* As many ones as the one-element tensor `count` says. */
static tni_value *ones(tni_grad *c, tni_value *count)
{
    if (c->status != TN_OK) return NULL;
    tni_value *v = index_of(c, 1);
    if (v == NULL) return NULL;
    tni_attr value = {.name = "value", .kind = TNI_ATTR_TENSOR};
    value.v.tensor = v->constant;
    return with(c, "ConstantOfShape", 1, &count, value);
}

static tni_value *slice(tni_grad *c, tni_value *x, tni_value *start,
                        tni_value *end)
{
    tni_value *const in[3] = {x, start, end};
    return made(tni_grad_node(c, "Slice", 3, in, 1, NULL, 0));
}

/* Undoes broadcasting: sums g over what x has not, and gives it x's shape. */
static tni_value *like(tni_grad *c, tni_value *g, tni_value *x)
{
    tni_value *sx = shape_of(c, x), *sg = shape_of(c, g);
    tni_value *more = two(c, "Sub", shape_of(c, sg), shape_of(c, sx));
    tni_value *const padded[2] = {ones(c, more), sx};
    tni_value *same = two(c, "Equal", join(c, 2, padded), sg);
    tni_value *where = one(c, "NonZero", one(c, "Not", same));
    tni_value *const in[2] = {g, two(c, "Squeeze", where, index_of(c, 0))};
    tni_value *sum =
        with(c, "ReduceSum", 2, in, int_attr("noop_with_empty_axes", 1));
    return reshape(c, sum, sx);
}

/* The last two axes exchanged. */
static tni_value *transposed(tni_grad *c, tni_value *x)
{
    static const char swap[] = "...ij->...ji";
    tni_attr equation = {.name = "equation", .kind = TNI_ATTR_STRING};
    equation.v.s = (tn_string){swap, sizeof swap - 1};
    return with(c, "Einsum", 1, &x, equation);
}

/* --- elementwise, one input ---------------------------------------------- */

static tni_value *back_identity(tni_grad *c, const tni_node *n, tni_value *g,
                                int i)
{
    (void)c;
    (void)n;
    (void)i;
    return g;
}

static tni_value *back_neg(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    (void)n;
    (void)i;
    return one(c, "Neg", g);
}

static tni_value *back_abs(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return two(c, "Mul", g, one(c, "Sign", n->in[i]));
}

static tni_value *back_exp(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    (void)i;
    return two(c, "Mul", g, n->out[0]);
}

static tni_value *back_log(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return two(c, "Div", g, n->in[i]);
}

static tni_value *back_sqrt(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    (void)i;
    return two(c, "Div", two(c, "Mul", g, number(c, 0.5, g)), n->out[0]);
}

static tni_value *back_reciprocal(tni_grad *c, const tni_node *n, tni_value *g,
                                  int i)
{
    (void)i;
    tni_value *y = n->out[0];
    return one(c, "Neg", two(c, "Mul", g, two(c, "Mul", y, y)));
}

static tni_value *back_sin(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return two(c, "Mul", g, one(c, "Cos", n->in[i]));
}

static tni_value *back_cos(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return one(c, "Neg", two(c, "Mul", g, one(c, "Sin", n->in[i])));
}

/* y (1 - y) g */
static tni_value *back_sigmoid(tni_grad *c, const tni_node *n, tni_value *g,
                               int i)
{
    (void)i;
    tni_value *gy = two(c, "Mul", g, n->out[0]);
    return two(c, "Sub", gy, two(c, "Mul", gy, n->out[0]));
}

/* (1 - y^2) g */
static tni_value *back_tanh(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    (void)i;
    tni_value *y = n->out[0];
    return two(c, "Sub", g, two(c, "Mul", g, two(c, "Mul", y, y)));
}

static tni_value *back_softplus(tni_grad *c, const tni_node *n, tni_value *g,
                                int i)
{
    return two(c, "Mul", g, one(c, "Sigmoid", n->in[i]));
}

/* 2 / sqrt(pi) exp(-x^2) g */
static tni_value *back_erf(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    tni_value *x = n->in[i];
    tni_value *bell = one(c, "Exp", one(c, "Neg", two(c, "Mul", x, x)));
    return two(c, "Mul", two(c, "Mul", g, number(c, 1.1283791670955126, g)),
               bell);
}

/* g where x > 0, else `other`. */
static tni_value *above_zero(tni_grad *c, tni_value *x, tni_value *g,
                             tni_value *other)
{
    tni_value *const in[3] = {two(c, "Greater", x, number(c, 0.0, x)), g,
                              other};
    return made(tni_grad_node(c, "Where", 3, in, 1, NULL, 0));
}

static tni_value *back_relu(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return above_zero(c, n->in[i], g, number(c, 0.0, g));
}

static tni_value *back_leaky_relu(tni_grad *c, const tni_node *n, tni_value *g,
                                  int i)
{
    const double alpha = (double)tni_attr_float(n, "alpha", 0.01f);
    return above_zero(c, n->in[i], g, two(c, "Mul", g, number(c, alpha, g)));
}

static const char *refuse_cast(const tni_node *node)
{
    const int64_t to = tni_attr_int(node, "to", 0);
    return to == TN_F32 || to == TN_F64 || to == TN_F16 || to == TN_BF16
               ? NULL
               : "a cast to anything but a floating-point type has no "
                 "derivative";
}

static const char *refuse_cast_like(const tni_node *node)
{
    (void)node;
    return "the type it casts to is not known at this stage; write Cast";
}

static tni_value *back_cast(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return two(c, "CastLike", g, n->in[i]);
}

/* --- elementwise, broadcasting ------------------------------------------- */

/* Before version 7 broadcasting was asked for and could begin anywhere. */
static const char *refuse_axis(const tni_node *node)
{
    return tni_attr_find(node, "axis") == NULL
               ? NULL
               : "the attribute 'axis' of operators before version 7 is not "
                 "differentiated";
}

static tni_value *back_add(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return like(c, g, n->in[i]);
}

static tni_value *back_sub(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return like(c, i == 0 ? g : one(c, "Neg", g), n->in[i]);
}

static tni_value *back_mul(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return like(c, two(c, "Mul", g, n->in[1 - i]), n->in[i]);
}

static tni_value *back_div(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    tni_value *q = two(c, "Div", g, n->in[1]);
    if (i == 1) q = one(c, "Neg", two(c, "Mul", q, n->out[0]));
    return like(c, q, n->in[i]);
}

/* p x^(p - 1) g, and y log(x) g for the exponent. */
static tni_value *back_pow(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    tni_value *x = n->in[0], *p = n->in[1];
    if (i == 1)
        return like(
            c, two(c, "Mul", two(c, "Mul", g, n->out[0]), one(c, "Log", x)), p);
    p = two(c, "CastLike", p, x);
    tni_value *less = two(c, "Sub", p, number(c, 1.0, p));
    tni_value *slope = two(c, "Mul", p, two(c, "Pow", x, less));
    return like(c, two(c, "Mul", g, slope), x);
}

static tni_value *back_where(tni_grad *c, const tni_node *n, tni_value *g,
                             int i)
{
    tni_value *zero = number(c, 0.0, g);
    tni_value *const in[3] = {n->in[0], i == 1 ? g : zero, i == 1 ? zero : g};
    return like(c, made(tni_grad_node(c, "Where", 3, in, 1, NULL, 0)),
                n->in[i]);
}

/* --- movement ------------------------------------------------------------ */

static tni_value *back_view(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    return reshape(c, g, shape_of(c, n->in[i]));
}

static const char *refuse_transpose(const tni_node *node)
{
    int n = 0;
    const int64_t *perm = tni_attr_ints(node, "perm", &n);
    if (n > TN_MAX_RANK) return "'perm' has too many axes";
    for (int i = 0; i < n; i++)
        if (perm[i] < 0 || perm[i] >= n) return "'perm' is no permutation";
    return NULL;
}

static tni_value *back_transpose(tni_grad *c, const tni_node *n, tni_value *g,
                                 int i)
{
    (void)i;
    int rank = 0;
    const int64_t *perm = tni_attr_ints(n, "perm", &rank);
    tni_attr attr = {.name = NULL, .kind = TNI_ATTR_INTS};
    if (perm != NULL) {
        int64_t *inverse = TNI_NEW_ARRAY(c->d->arena, int64_t, rank);
        if (inverse == NULL) {
            c->status = tni_decode_nomem(c->d);
            return NULL;
        }
        for (int k = 0; k < rank; k++) inverse[perm[k]] = k;
        attr.name = "perm";
        attr.v.ints = inverse;
        attr.n = (size_t)rank;
    }
    return with(c, "Transpose", 1, &g, attr);
}

static const char *refuse_einsum(const tni_node *node)
{
    return tni_attr_is(node, "equation", "...ij->...ji", NULL)
               ? NULL
               : "of its equations only '...ij->...ji' is differentiated";
}

static tni_value *back_einsum(tni_grad *c, const tni_node *n, tni_value *g,
                              int i)
{
    (void)n;
    (void)i;
    return transposed(c, g);
}

/* One Split serves all inputs. */
static tni_value *back_concat(tni_grad *c, const tni_node *n, tni_value *g,
                              int i)
{
    const int64_t axis = tni_attr_int(n, "axis", 1);
    if (c->memo == NULL) {
        tni_value **sizes = TNI_NEW_ARRAY(c->d->arena, tni_value *, n->n_in);
        if (sizes == NULL) {
            c->status = tni_decode_nomem(c->d);
            return NULL;
        }
        for (int k = 0; k < n->n_in; k++)
            sizes[k] =
                two(c, "Gather", shape_of(c, n->in[k]), index_of(c, axis));
        tni_value *const in[2] = {g, join(c, n->n_in, sizes)};
        const tni_attr attr = int_attr("axis", axis);
        c->memo = tni_grad_node(c, "Split", 2, in, n->n_in, &attr, 1);
    }
    return c->memo != NULL ? c->memo->out[i] : NULL;
}

/* --- reductions ---------------------------------------------------------- */

/* g with the reduced axes as ones again, repeated to x's shape. */
static tni_value *back_reduce_sum(tni_grad *c, const tni_node *n, tni_value *g,
                                  int i)
{
    if (c->status != TN_OK) return NULL;
    if (tni_attr_int(n, "keepdims", 1) == 0) {
        tni_node *kept = tni_grad_copy(c, n, n->in);
        if (kept == NULL) return NULL;
        for (int k = 0; k < kept->n_attrs; k++)
            if (strcmp(kept->attrs[k].name, "keepdims") == 0)
                kept->attrs[k].v.i = 1;
        g = reshape(c, g, shape_of(c, kept->out[0]));
    }
    return two(c, "Expand", g, shape_of(c, n->in[i]));
}

static tni_value *back_reduce_mean(tni_grad *c, const tni_node *n, tni_value *g,
                                   int i)
{
    tni_value *many = two(c, "CastLike", one(c, "Size", n->in[i]), g);
    tni_value *few = two(c, "CastLike", one(c, "Size", n->out[0]), g);
    tni_value *part = two(c, "Mul", g, two(c, "Div", few, many));
    return back_reduce_sum(c, n, part, i);
}

/* --- softmax ------------------------------------------------------------- */

static const char *refuse_softmax(const tni_node *node)
{
    return node->opset >= 13
               ? NULL
               : "it is differentiated from version 13 on, where it works on "
                 "one axis";
}

/* The sum of x over the softmax's axis. */
static tni_value *axis_sum(tni_grad *c, const tni_node *n, tni_value *x)
{
    tni_value *const in[2] = {x, index_of(c, tni_attr_int(n, "axis", -1))};
    return made(tni_grad_node(c, "ReduceSum", 2, in, 1, NULL, 0));
}

static tni_value *back_softmax(tni_grad *c, const tni_node *n, tni_value *g,
                               int i)
{
    (void)i;
    tni_value *gy = two(c, "Mul", g, n->out[0]);
    return two(c, "Sub", gy, two(c, "Mul", n->out[0], axis_sum(c, n, gy)));
}

static tni_value *back_log_softmax(tni_grad *c, const tni_node *n, tni_value *g,
                                   int i)
{
    (void)i;
    tni_value *p = one(c, "Exp", n->out[0]);
    return two(c, "Sub", g, two(c, "Mul", p, axis_sum(c, n, g)));
}

/* --- products ------------------------------------------------------------ */

/*
 * A of one axis is a row and B of one axis a column; with that, and with g's
 * axes to match, dA = g B^T and dB = A^T g, summed over repeated batches.
 */
static tni_value *back_matmul(tni_grad *c, const tni_node *n, tni_value *g,
                              int i)
{
    tni_value *pair = index_of(c, 2), *none = index_of(c, 0);
    tni_value *sa = shape_of(c, n->in[0]), *sb = shape_of(c, n->in[1]);
    tni_value *sg = shape_of(c, g);
    tni_value *lack_a =
        two(c, "Max", none, two(c, "Sub", pair, shape_of(c, sa)));
    tni_value *lack_b =
        two(c, "Max", none, two(c, "Sub", pair, shape_of(c, sb)));
    tni_value *const to_a[2] = {ones(c, lack_a), sa};
    tni_value *const to_b[2] = {sb, ones(c, lack_b)};
    tni_value *wide_a = join(c, 2, to_a), *wide_b = join(c, 2, to_b);
    /* g has its batch axes and those of m and n that were there. */
    tni_value *batch = two(c, "Sub", shape_of(c, sg), pair);
    batch = two(c, "Add", batch, two(c, "Add", lack_a, lack_b));
    tni_value *const to_g[3] = {
        slice(c, sg, none, batch),
        slice(c, wide_a, index_of(c, -2), index_of(c, -1)),
        slice(c, wide_b, index_of(c, -1), index_of(c, INT64_MAX))};
    tni_value *a = reshape(c, n->in[0], wide_a);
    tni_value *b = reshape(c, n->in[1], wide_b);
    tni_value *wide_g = reshape(c, g, join(c, 3, to_g));
    tni_value *d = i == 0 ? two(c, "MatMul", wide_g, transposed(c, b))
                          : two(c, "MatMul", transposed(c, a), wide_g);
    return reshape(c, like(c, d, i == 0 ? a : b), i == 0 ? sa : sb);
}

static tni_value *back_gemm(tni_grad *c, const tni_node *n, tni_value *g, int i)
{
    const float alpha = tni_attr_float(n, "alpha", 1.0f);
    const int64_t ta = tni_attr_int(n, "transA", 0) != 0;
    const int64_t tb = tni_attr_int(n, "transB", 0) != 0;
    if (i == 2) {
        const double beta = (double)tni_attr_float(n, "beta", 1.0f);
        return like(c, two(c, "Mul", g, number(c, beta, g)), n->in[2]);
    }
    /* In what form g and the other factor stand, for plain and transposed. */
    const bool flip = i == 0 ? ta : tb;
    tni_value *other = n->in[1 - i];
    tni_value *const in[2] = {(i == 0) != flip ? g : other,
                              (i == 0) != flip ? other : g};
    const int64_t left = i == 0 ? (flip ? tb : 0) : (flip ? 1 : !ta);
    const int64_t right = i == 0 ? (flip ? 1 : !tb) : (flip ? ta : 0);
    const tni_attr attrs[3] = {float_attr("alpha", alpha),
                               int_attr("transA", left),
                               int_attr("transB", right)};
    return made(tni_grad_node(c, "Gemm", 2, in, 1, attrs, 3));
}

/* --- the table ----------------------------------------------------------- */

static const tni_grad_rule rules[] = {
    {"Abs", 1, NULL, back_abs},
    {"Add", 3, refuse_axis, back_add},
    {"ArgMax", 0, NULL, NULL},
    {"ArgMin", 0, NULL, NULL},
    {"Cast", 1, refuse_cast, back_cast},
    {"CastLike", 1, refuse_cast_like, back_cast},
    {"Ceil", 0, NULL, NULL},
    {"Concat", UINT32_MAX, NULL, back_concat},
    {"ConstantOfShape", 0, NULL, NULL},
    {"Cos", 1, NULL, back_cos},
    {"Div", 3, refuse_axis, back_div},
    {"Einsum", 1, refuse_einsum, back_einsum},
    {"Equal", 0, NULL, NULL},
    {"Erf", 1, NULL, back_erf},
    {"Exp", 1, NULL, back_exp},
    {"Expand", 1, NULL, back_add},
    {"Flatten", 1, NULL, back_view},
    {"Floor", 0, NULL, NULL},
    {"Gemm", 7, NULL, back_gemm},
    {"Greater", 0, NULL, NULL},
    {"GreaterOrEqual", 0, NULL, NULL},
    {"Identity", 1, NULL, back_identity},
    {"LeakyRelu", 1, NULL, back_leaky_relu},
    {"Less", 0, NULL, NULL},
    {"LessOrEqual", 0, NULL, NULL},
    {"Log", 1, NULL, back_log},
    {"LogSoftmax", 1, refuse_softmax, back_log_softmax},
    {"MatMul", 3, NULL, back_matmul},
    {"Mul", 3, refuse_axis, back_mul},
    {"Neg", 1, NULL, back_neg},
    {"NonZero", 0, NULL, NULL},
    {"Pow", 3, refuse_axis, back_pow},
    {"Reciprocal", 1, NULL, back_reciprocal},
    {"ReduceMean", 1, NULL, back_reduce_mean},
    {"ReduceSum", 1, NULL, back_reduce_sum},
    {"Relu", 1, NULL, back_relu},
    {"Reshape", 1, NULL, back_view},
    {"Round", 0, NULL, NULL},
    {"Shape", 0, NULL, NULL},
    {"Sigmoid", 1, NULL, back_sigmoid},
    {"Sign", 0, NULL, NULL},
    {"Sin", 1, NULL, back_sin},
    {"Size", 0, NULL, NULL},
    {"Softmax", 1, refuse_softmax, back_softmax},
    {"Softplus", 1, NULL, back_softplus},
    {"Sqrt", 1, NULL, back_sqrt},
    {"Squeeze", 1, NULL, back_view},
    {"Sub", 3, refuse_axis, back_sub},
    {"Sum", UINT32_MAX, NULL, back_add},
    {"Tanh", 1, NULL, back_tanh},
    {"Transpose", 1, refuse_transpose, back_transpose},
    {"Unsqueeze", 1, NULL, back_view},
    {"Where", 6, NULL, back_where},
};

const tni_grad_rule *tni_grad_rule_of(const tni_node *node)
{
    if (node->domain[0] != '\0') return NULL;
    for (int i = 0; i < TNI_COUNT(rules); i++)
        if (strcmp(rules[i].op, node->op_type) == 0) return &rules[i];
    return NULL;
}
