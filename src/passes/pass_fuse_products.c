/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_fuse_products.c - recognise activations that exporters spell out
 *
 * A product is taken apart into its factors, with constants multiplied into
 * one scale, and compared with the known forms:
 *
 *     x * Sigmoid(x)                       Swish
 *     x * Sigmoid(a x)                     Swish with alpha a
 *     x * HardSigmoid(x; 1/6, 1/2)         HardSwish
 *     x * Clip(x + 3, 0, 6) / 6            HardSwish
 *     x * Tanh(Softplus(x))                Mish
 *     x * (1 + Erf(x / sqrt 2)) / 2        Gelu
 *     x * (1 + Tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2   Gelu, tanh
 *
 * Each answer differs from the spelled-out one by rounding only.
 */
#include "passes/match.h"

#include <math.h>

enum { MAX_FACTORS = 6 };

typedef struct product {
    tni_value *factors[MAX_FACTORS];
    int n;
    double scale;
} product;

static void add_factor(product *p, tni_value *v, int depth);

/* Adds what a single-use Mul or Div by a constant multiplies. */
static bool expand(product *p, const tni_value *v, int depth)
{
    double s = 0.0;
    const tni_node *mul = tni_match_only(v, "Mul");
    if (mul != NULL && depth < 4 && mul->n_in == 2) {
        add_factor(p, mul->in[0], depth + 1);
        add_factor(p, mul->in[1], depth + 1);
        return true;
    }
    const tni_node *div = tni_match_only(v, "Div");
    if (div != NULL && depth < 4 && tni_match_scalar(&s, div->in[1]) &&
        s != 0.0) {
        p->scale /= s;
        add_factor(p, div->in[0], depth + 1);
        return true;
    }
    return false;
}

static void add_factor(product *p, tni_value *v, int depth)
{
    double s = 0.0;
    if (tni_match_scalar(&s, v)) {
        p->scale *= s;
        return;
    }
    if (expand(p, v, depth)) return;
    if (p->n < MAX_FACTORS) p->factors[p->n] = v;
    p->n++; /* past the end: too many, never matches */
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

/* v = scale * x, read through Mul and Div by constants. */
static bool is_scaled(const tni_value *v, const tni_value *x, double scale)
{
    double s = 0.0;
    if (v == x) return near(1.0, scale);
    const tni_node *div = tni_match_from(v, "Div");
    if (div != NULL)
        return div->in[0] == x && tni_match_scalar(&s, div->in[1]) &&
               near(1.0 / s, scale);
    const tni_node *mul = tni_match_from(v, "Mul");
    tni_value *other = NULL, *constant = NULL;
    return mul != NULL && tni_match_with_const(mul, &other, &constant) &&
           other == x && tni_match_scalar(&s, constant) && near(s, scale);
}

/* v = 1 + u: gives u. */
static tni_value *one_plus(const tni_value *v)
{
    const tni_node *add = tni_match_only(v, "Add");
    tni_value *u = NULL, *constant = NULL;
    if (add == NULL || !tni_match_with_const(add, &u, &constant) ||
        !tni_match_number(constant, 1.0))
        return NULL;
    return u;
}

/* v = x^3, as Pow or as products. */
static bool is_cube(const tni_value *v, const tni_value *x)
{
    const tni_node *pow_node = tni_match_from(v, "Pow");
    if (pow_node != NULL)
        return pow_node->in[0] == x && tni_match_number(pow_node->in[1], 3.0);
    const tni_node *mul = tni_match_from(v, "Mul");
    if (mul == NULL) return false;
    for (int k = 0; k < 2; k++) {
        if (mul->in[k] != x) continue;
        const tni_node *square = tni_match_from(mul->in[1 - k], "Mul");
        if (square != NULL && square->in[0] == x && square->in[1] == x)
            return true;
        const tni_node *pow2 = tni_match_from(mul->in[1 - k], "Pow");
        if (pow2 != NULL && pow2->in[0] == x &&
            tni_match_number(pow2->in[1], 2.0))
            return true;
    }
    return false;
}

/* u = sqrt(2/pi) (x + 0.044715 x^3). */
static bool is_gelu_tanh_inner(const tni_value *u, const tni_value *x)
{
    const tni_node *mul = tni_match_from(u, "Mul");
    tni_value *sum = NULL, *constant = NULL;
    if (mul == NULL || !tni_match_with_const(mul, &sum, &constant) ||
        !tni_match_number(constant, 0.7978845608028654))
        return false;
    const tni_node *add = tni_match_from(sum, "Add");
    if (add == NULL) return false;
    for (int k = 0; k < 2; k++) {
        if (add->in[k] != x) continue;
        const tni_node *scaled = tni_match_from(add->in[1 - k], "Mul");
        tni_value *cube = NULL;
        if (scaled != NULL && tni_match_with_const(scaled, &cube, &constant) &&
            tni_match_number(constant, 0.044715) && is_cube(cube, x))
            return true;
    }
    return false;
}

typedef struct form {
    const char *domain, *op;
    int opset;
    tni_attr attrs[1];
    int n_attrs;
} form;

static bool has_op(const char *domain, const char *op, int opset)
{
    const tni_op *found = tni_op_find(domain, op);
    return found != NULL && tni_op_at(found, opset) != NULL;
}

static bool clip_0_6_of_x_plus_3(const tni_value *v, const tni_value *x)
{
    const tni_node *clip = tni_match_from(v, "Clip");
    if (clip == NULL) return false;
    double lo = (double)tni_attr_float(clip, "min", -INFINITY);
    double hi = (double)tni_attr_float(clip, "max", INFINITY);
    if (clip->n_in > 1 && clip->in[1] != NULL &&
        !tni_match_scalar(&lo, clip->in[1]))
        return false;
    if (clip->n_in > 2 && clip->in[2] != NULL &&
        !tni_match_scalar(&hi, clip->in[2]))
        return false;
    const tni_node *add = tni_match_from(clip->in[0], "Add");
    tni_value *other = NULL, *three = NULL;
    return lo == 0.0 && hi == 6.0 && add != NULL &&
           tni_match_with_const(add, &other, &three) && other == x &&
           tni_match_number(three, 3.0);
}

/* Is scale * x * f one of the forms? */
static bool match_pair(form *out, const tni_value *x, const tni_value *f,
                       double scale)
{
    double s = 0.0;
    out->domain = "";
    out->n_attrs = 0;
    const tni_node *node = tni_match_from(f, "Sigmoid");
    if (node != NULL && near(scale, 1.0) && node->in[0] == x) {
        out->op = "Swish";
        out->opset = 24;
        return true;
    }
    const tni_node *scaled =
        node != NULL ? tni_match_from(node->in[0], "Mul") : NULL;
    tni_value *other = NULL, *constant = NULL;
    if (scaled != NULL && near(scale, 1.0) &&
        tni_match_with_const(scaled, &other, &constant) && other == x &&
        tni_match_scalar(&s, constant)) {
        out->op = "Swish";
        out->opset = 24;
        out->attrs[0] = tni_attr_of_float("alpha", (float)s);
        out->n_attrs = 1;
        return true;
    }
    node = tni_match_from(f, "HardSigmoid");
    if (node != NULL && near(scale, 1.0) && node->in[0] == x &&
        near((double)tni_attr_float(node, "alpha", 0.2f), 1.0 / 6.0) &&
        near((double)tni_attr_float(node, "beta", 0.5f), 0.5)) {
        out->op = "HardSwish";
        out->opset = 14;
        return true;
    }
    if (near(scale, 1.0 / 6.0) && clip_0_6_of_x_plus_3(f, x)) {
        out->op = "HardSwish";
        out->opset = 14;
        return true;
    }
    node = tni_match_from(f, "Tanh");
    const tni_node *softplus =
        node != NULL ? tni_match_from(node->in[0], "Softplus") : NULL;
    if (softplus != NULL && softplus->in[0] == x && near(scale, 1.0)) {
        out->op = "Mish";
        out->opset = 18;
        return true;
    }
    tni_value *u = near(scale, 0.5) ? one_plus(f) : NULL;
    if (u == NULL) return false;
    out->op = "Gelu";
    out->opset = 20;
    node = tni_match_from(u, "Erf");
    if (node != NULL && is_scaled(node->in[0], x, 0.7071067811865476))
        return true;
    node = tni_match_from(u, "Tanh");
    out->attrs[0] = tni_attr_of_string("approximate", "tanh");
    out->n_attrs = 1;
    return node != NULL && is_gelu_tanh_inner(node->in[0], x);
}

static tn_status run(tni_pass_run *c)
{
    tni_graph *g = c->graph;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        tni_node *node = g->nodes[i];
        const bool mul = tni_match_op(node, "", "Mul");
        const bool div = tni_match_op(node, "", "Div");
        if ((!mul && !div) || !tni_match_f32(node->out[0])) continue;
        product p = {.n = 0, .scale = 1.0};
        double s = 0.0;
        add_factor(&p, node->in[0], 0);
        if (mul) {
            add_factor(&p, node->in[1], 0);
        } else {
            if (!tni_match_scalar(&s, node->in[1]) || s == 0.0) continue;
            p.scale /= s;
        }
        if (p.n != 2) continue;
        for (int k = 0; k < 2; k++) {
            form f;
            tni_value *x = p.factors[k];
            if (!match_pair(&f, x, p.factors[1 - k], p.scale) ||
                !has_op(f.domain, f.op, f.opset))
                continue;
            TN_TRY(tni_pass_become(c, node, f.domain, f.op, f.opset, &x, 1,
                                   f.attrs, f.n_attrs));
            break;
        }
    }
    return TN_OK;
}

const tni_pass tni_pass_fuse_products = {
    .name = "fuse_products",
    .summary = "recognises Swish, HardSwish, Mish and Gelu spelled as products",
    .run = run,
};
