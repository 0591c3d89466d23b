/* SPDX-License-Identifier: Apache-2.0 */
/* op.c - the operator table: lookup, signature checks, calling */
#include "ops/op.h"

#include <stdio.h>
#include <string.h>

static const tni_op *const table[] = {
#define TN_OP(name) &tni_op_##name,
#include "ops/ops.def"
#undef TN_OP
    NULL,
};

const tni_op *const *tni_ops(int *n)
{
    *n = TNI_COUNT(table) - 1;
    return table;
}

static bool same_domain(const char *a, const char *b)
{
    if (strcmp(a, "ai.onnx") == 0) a = "";
    if (strcmp(b, "ai.onnx") == 0) b = "";
    return strcmp(a, b) == 0;
}

const tni_op *tni_op_find(const char *domain, const char *name)
{
    for (int i = 0; i < TNI_COUNT(table) - 1; i++)
        if (strcmp(table[i]->name, name) == 0 &&
            same_domain(table[i]->domain, domain))
            return table[i];
    return NULL;
}

const tni_op_version *tni_op_at(const tni_op *op, int opset)
{
    for (int i = 0; i < op->n_versions; i++) {
        const tni_op_version *v = &op->versions[i];
        if (v->since > opset) continue;
        if (v->deprecated != 0 && opset >= v->deprecated) return NULL;
        return v;
    }
    return NULL;
}

void tni_op_err_where(tn_err *err, const tni_node *node)
{
    if (node->name[0] != '\0')
        tni_err_where(err, "node %d '%s' (%s)", node->index, node->name,
                      node->op_type);
    else
        tni_err_where(err, "node %d (%s)", node->index, node->op_type);
}

/* --- signature --------------------------------------------------------- */

static const tni_arg *arg_at(const tni_arg *args, int n, int i)
{
    if (i < n) return &args[i];
    if (n > 0 && (args[n - 1].flags & TNI_VARIADIC) != 0) return &args[n - 1];
    return NULL;
}

static int n_required(const tni_arg *args, int n)
{
    int need = 0;
    for (int i = 0; i < n; i++)
        if ((args[i].flags & TNI_OPTIONAL) == 0) need = i + 1;
    return need;
}

bool tni_op_arity_ok(const tni_node *node)
{
    const tni_op_version *v = node->ver;
    if (v == NULL || node->n_out == 0) return false;
    const int need = n_required(v->in, v->n_in);
    if (node->n_in < need) return false;
    for (int i = 0; i < node->n_in; i++) {
        const tni_arg *arg = arg_at(v->in, v->n_in, i);
        if (arg == NULL ? node->in[i] != NULL
                        : node->in[i] == NULL && (i < need || i >= v->n_in) &&
                              (arg->flags & TNI_OPTIONAL) == 0)
            return false;
    }
    return true;
}

static void dtype_list(char *buf, size_t size, uint32_t dtypes)
{
    size_t used = 0;
    buf[0] = '\0';
    for (int t = 1; t < TN_DTYPE_COUNT && used < size; t++) {
        if ((dtypes & TNI_T(t)) == 0) continue;
        const int n =
            snprintf(buf + used, size - used, "%s%s", used != 0 ? ", " : "",
                     tn_dtype_name((tn_dtype)t));
        if (n < 0) return;
        used += (size_t)n;
    }
}

static tn_status check_inputs(const tni_infer *c, const tni_op_version *v)
{
    const int need = n_required(v->in, v->n_in);
    if (c->n_in < need)
        return tni_fail(c->err, TN_EFORMAT, "%d inputs, expected at least %d",
                        c->n_in, need);
    tn_dtype tied[128] = {TN_UNDEFINED};
    const char *tied_name[128] = {NULL};
    for (int i = 0; i < c->n_in; i++) {
        const tni_arg *arg = arg_at(v->in, v->n_in, i);
        if (arg == NULL) {
            if (c->in[i] == NULL) continue;
            return tni_fail(c->err, TN_EFORMAT,
                            "%d inputs, expected at most %d", c->n_in, v->n_in);
        }
        if (c->in[i] == NULL) {
            if ((arg->flags & TNI_OPTIONAL) != 0 || i >= need) continue;
            return tni_fail(c->err, TN_EFORMAT,
                            "input %d '%s' is required and missing", i,
                            arg->name);
        }
        const tni_type *t = c->in[i];
        if (t->kind == TN_KIND_NONE) continue;
        if (t->kind != TN_KIND_TENSOR) {
            if ((arg->flags & TNI_NONTENSOR) != 0) continue;
            char text[128];
            return tni_fail(c->err, TN_EFORMAT,
                            "input %d '%s' is %s, expected a tensor", i,
                            arg->name, tni_type_format(text, sizeof text, t));
        }
        if (t->dtype == TN_UNDEFINED) continue;
        if (arg->dtypes != 0 && (arg->dtypes & TNI_T(t->dtype)) == 0) {
            char text[200];
            dtype_list(text, sizeof text, arg->dtypes);
            return tni_fail(c->err, TN_EUNSUPPORTED,
                            "input %d '%s' is %s; supported: %s", i, arg->name,
                            tn_dtype_name(t->dtype), text);
        }
        if ((arg->flags & TNI_HETERO) != 0 || arg->tie == 0) continue;
        const int k = arg->tie & 127;
        if (tied[k] == TN_UNDEFINED) {
            tied[k] = t->dtype;
            tied_name[k] = arg->name;
        } else if (tied[k] != t->dtype) {
            return tni_fail(c->err, TN_EFORMAT,
                            "input %d '%s' is %s, but '%s' is %s; they must "
                            "have one dtype",
                            i, arg->name, tn_dtype_name(t->dtype), tied_name[k],
                            tn_dtype_name(tied[k]));
        }
    }
    return TN_OK;
}

static tn_status check_outputs(const tni_infer *c, const tni_op_version *v)
{
    for (int i = 0; i < c->n_out; i++)
        if (arg_at(v->out, v->n_out, i) == NULL && c->node->out[i] != NULL)
            return tni_fail(c->err, TN_EFORMAT,
                            "%d outputs, expected at most %d", c->n_out,
                            v->n_out);
    return TN_OK;
}

/* Operators that ONNX Runtime added on its own are written by its tools, which
 * do not check attributes either: an unknown one there has no meaning. */
static bool is_contributed(const tni_node *node)
{
    return strcmp(node->domain, "com.microsoft") == 0 ||
           (strcmp(node->op_type, "LayerNormalization") == 0 &&
            node->domain[0] == '\0' && node->opset < 17);
}

static tn_status check_attrs(const tni_infer *c, const tni_op_version *v)
{
    static const char *const kinds[] = {
        "nothing", "a float", "an int",  "a string", "a tensor", "a graph",
        "floats",  "ints",    "strings", "tensors",  "graphs",   "a type"};
    const tni_node *node = c->node;
    for (int i = 0; i < node->n_attrs; i++) {
        const tni_attr *a = &node->attrs[i];
        const tni_attr_spec *spec = NULL;
        for (int k = 0; k < v->n_attrs && spec == NULL; k++)
            if (strcmp(v->attrs[k].name, a->name) == 0) spec = &v->attrs[k];
        /* Names that begin with "tn_" are ours: set by passes. */
        if (spec == NULL &&
            (strncmp(a->name, "tn_", 3) == 0 || is_contributed(node)))
            continue;
        if (spec == NULL)
            return tni_fail(c->err, TN_EUNSUPPORTED,
                            "attribute '%.64s' is not known to %s version %d",
                            a->name, node->op_type, v->since);
        const bool empty_list = a->n == 0 && a->kind >= TNI_ATTR_FLOATS &&
                                a->kind <= TNI_ATTR_GRAPHS;
        if (spec->kind != a->kind && !empty_list)
            return tni_fail(c->err, TN_EFORMAT,
                            "attribute '%s' is %s, expected %s", a->name,
                            kinds[a->kind], kinds[spec->kind]);
    }
    for (int k = 0; k < v->n_attrs; k++) {
        const tni_attr_spec *spec = &v->attrs[k];
        if (spec->absent == NULL || strcmp(spec->absent, "required") != 0)
            continue;
        if (tni_attr_find(node, spec->name) == NULL)
            return tni_fail(c->err, TN_EFORMAT, "attribute '%s' is required",
                            spec->name);
    }
    return TN_OK;
}

static tn_status infer_checked(tni_infer *c)
{
    const tni_op_version *v = c->node->ver;
    TN_TRY(check_inputs(c, v));
    TN_TRY(check_outputs(c, v));
    TN_TRY(check_attrs(c, v));
    return v->infer(c);
}

tn_status tni_op_infer(tni_infer *c)
{
    const tn_status status = infer_checked(c);
    if (status != TN_OK) tni_op_err_where(c->err, c->node);
    return status;
}

/* --- ref --------------------------------------------------------------- */

tn_status tni_op_ref(tni_ref *c)
{
    const tni_arena_mark mark = tni_arena_save(c->scratch);
    const tn_status status = c->node->ver->ref(c);
    if (c->scratch != c->out_arena) tni_arena_rewind(c->scratch, mark);
    if (status != TN_OK) tni_op_err_where(c->err, c->node);
    return status;
}

tn_status tni_ref_output(tni_ref *c, int i, tn_dtype dtype, int rank,
                         const int64_t *dims)
{
    if (!tni_ref_wants(c, i)) return TN_OK;
    tni_tensor *t = c->out[i];
    if (t->data != NULL) {
        if (t->dtype == dtype && t->rank == rank &&
            (rank == 0 || memcmp(t->dims, dims, (size_t)rank * 8) == 0))
            return TN_OK;
        char a[120], b[120];
        return tni_fail(
            c->err, TN_EINTERNAL,
            "output %d was planned as %s and came out as %s", i,
            tni_shape_format(a, sizeof a, t->dtype, t->rank, t->dims),
            tni_shape_format(b, sizeof b, dtype, rank, dims));
    }
    return tni_tensor_alloc(t, c->out_arena, dtype, rank, dims, c->err);
}

tn_status tni_ref_output_copy(tni_ref *c, int i, const tni_tensor *value)
{
    if (!tni_ref_wants(c, i)) return TN_OK;
    if (value->kind != TN_KIND_TENSOR)
        return tni_tensor_copy(c->out[i], value, c->out_arena, c->err);
    TN_TRY(tni_ref_output(c, i, value->dtype, value->rank, value->dims));
    size_t size = 0;
    if (!tni_elems_size(&size, value->dtype, value->len)) return TN_EINTERNAL;
    /* String bytes are shared: both values belong to the same run. */
    if (size != 0 && c->out[i]->data != value->data)
        memcpy(c->out[i]->data, value->data, size);
    return TN_OK;
}

void *tni_ref_scratch(tni_ref *c, size_t size)
{
    return tni_arena_alloc(c->scratch, size, TNI_ALIGN);
}

tn_status tni_ref_nomem(tni_ref *c)
{
    return tni_fail(c->err, TN_ENOMEM, "out of memory");
}
