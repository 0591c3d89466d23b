/* SPDX-License-Identifier: Apache-2.0 */
/* match.c - what rewriting passes are made of */
#include "passes/match.h"

#include "tensor/raw.h"

#include <math.h>
#include <string.h>

bool tni_match_op(const tni_node *node, const char *domain, const char *op)
{
    return node != NULL && node->index >= 0 && node->ver != NULL &&
           strcmp(node->op_type, op) == 0 && strcmp(node->domain, domain) == 0;
}

tni_node *tni_match_from(const tni_value *value, const char *op)
{
    if (value == NULL || value->producer == NULL) return NULL;
    tni_node *node = value->producer;
    return tni_match_op(node, "", op) && node->out[0] == value ? node : NULL;
}

tni_node *tni_match_only(const tni_value *value, const char *op)
{
    tni_node *node = tni_match_from(value, op);
    return node != NULL && tni_value_single_use(value) ? node : NULL;
}

bool tni_match_scalar(double *out, const tni_value *value)
{
    if (value == NULL || value->constant == NULL) return false;
    const tni_tensor *t = value->constant;
    if (t->kind != TN_KIND_TENSOR || t->len != 1 || t->dtype == TN_STRING)
        return false;
    *out = tni_get_f64(t, 0);
    return true;
}

bool tni_match_number(const tni_value *value, double v)
{
    double x = 0.0;
    return tni_match_scalar(&x, value) && fabs(x - v) <= 1e-4 * fabs(v);
}

bool tni_match_f32(const tni_value *value)
{
    return value != NULL && value->type.kind == TN_KIND_TENSOR &&
           value->type.dtype == TN_F32;
}

bool tni_match_with_const(const tni_node *node, tni_value **x,
                          tni_value **constant)
{
    if (node->n_in != 2 || node->in[0] == NULL || node->in[1] == NULL)
        return false;
    const int k = node->in[1]->constant != NULL ? 1 : 0;
    if (node->in[k]->constant == NULL || node->in[1 - k]->constant != NULL)
        return false;
    *constant = node->in[k];
    *x = node->in[1 - k];
    return true;
}

static void count_input(const tni_node *node, tni_value *value, int by)
{
    if (value != NULL && value->graph == node->graph) value->n_uses += by;
}

tn_status tni_pass_become(tni_pass_run *c, tni_node *node, const char *domain,
                          const char *op_type, int opset, tni_value *const *in,
                          int n_in, const tni_attr *attrs, int n_attrs)
{
    const tni_op *op = tni_op_find(domain, op_type);
    const tni_op_version *ver = op != NULL ? tni_op_at(op, opset) : NULL;
    if (ver == NULL)
        return tni_fail(c->err, TN_EINTERNAL, "no operator %s.%s version %d",
                        domain, op_type, opset);
    tni_value **inputs = TNI_NEW_ARRAY(c->arena, tni_value *, n_in);
    tni_attr *copy = TNI_NEW_ARRAY(c->arena, tni_attr, n_attrs);
    if (inputs == NULL || copy == NULL)
        return tni_fail(c->err, TN_ENOMEM, "out of memory");
    if (n_in > 0) memcpy(inputs, in, (size_t)n_in * sizeof *inputs);
    if (n_attrs > 0) memcpy(copy, attrs, (size_t)n_attrs * sizeof *copy);
    for (int i = 0; i < n_in; i++) count_input(node, inputs[i], 1);
    for (int i = 0; i < node->n_in; i++) count_input(node, node->in[i], -1);
    node->op = op;
    node->ver = ver;
    node->domain = domain;
    node->op_type = op->name;
    node->opset = opset;
    node->in = inputs;
    node->n_in = n_in;
    node->attrs = copy;
    node->n_attrs = n_attrs;
    c->n_changes++;
    return TN_OK;
}

tni_value *tni_pass_constant_f32(tni_pass_run *c, int rank, const int64_t *dims,
                                 float **data)
{
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    if (t == NULL ||
        tni_tensor_alloc(t, c->arena, TN_F32, rank, dims, c->err) != TN_OK)
        return NULL;
    *data = TNI_DATA(float, t);
    return tni_graph_add_constant(c->graph, "", t);
}

tni_tensor *tni_pass_widen(tni_pass_run *c, const tni_tensor *half)
{
    tni_tensor *t = TNI_NEW(c->arena, tni_tensor);
    tni_scaled *s = TNI_NEW(c->arena, tni_scaled);
    if (t == NULL || s == NULL) return NULL;
    *t = *half;
    *s = (tni_scaled){half->data, half->dtype, NULL};
    t->dtype = TN_F32;
    t->data = NULL;
    t->owner = NULL;
    t->scaled = s;
    if (tn_tensor_size(t) < TNI_RAW_MIN_BYTES &&
        tni_tensor_settle(t, t, c->arena, c->err) != TN_OK)
        return NULL;
    return t;
}

tni_attr tni_attr_of_int(const char *name, int64_t v)
{
    tni_attr a = {.name = name, .kind = TNI_ATTR_INT};
    a.v.i = v;
    return a;
}

tni_attr tni_attr_of_float(const char *name, float v)
{
    tni_attr a = {.name = name, .kind = TNI_ATTR_FLOAT};
    a.v.f = v;
    return a;
}

tni_attr tni_attr_of_string(const char *name, const char *v)
{
    tni_attr a = {.name = name, .kind = TNI_ATTR_STRING};
    a.v.s.ptr = v;
    a.v.s.len = strlen(v);
    return a;
}
