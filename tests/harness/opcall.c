/* SPDX-License-Identifier: Apache-2.0 */
/* opcall.c - call one operator by hand: a node without a graph */
#include "harness/opcall.h"

#include <stdlib.h>
#include <string.h>

void opcall_init(opcall *c, const char *domain, const char *op, int opset)
{
    memset(c, 0, sizeof *c);
    tni_mem_init(&c->mem, NULL, 0);
    tni_arena_init(&c->arena, &c->mem, 4096);
    tni_arena_init(&c->scratch, &c->mem, 4096);
    c->alias = -1;
    c->graph.name = "";
    c->graph.arena = &c->arena;
    tni_node *n = &c->node;
    n->op = tni_op_find(domain, op);
    if (n->op != NULL) n->ver = tni_op_at(n->op, opset);
    if (n->ver == NULL) abort();
    n->name = "";
    n->domain = domain;
    n->op_type = op;
    n->opset = opset;
    n->graph = &c->graph;
    n->attrs = c->attrs;
    n->in = c->in_values;
    n->out = c->out_values;
    for (int i = 0; i < 2 * OPCALL_MAX; i++) c->values[i].name = "";
}

void opcall_fini(opcall *c)
{
    tni_arena_fini(&c->arena);
    tni_arena_fini(&c->scratch);
}

static tni_attr *add_attr(opcall *c, const char *name, tni_attr_kind kind)
{
    tni_attr *a = &c->attrs[c->node.n_attrs++];
    a->name = name;
    a->kind = kind;
    return a;
}

void opcall_float(opcall *c, const char *name, float v)
{
    add_attr(c, name, TNI_ATTR_FLOAT)->v.f = v;
}

void opcall_int(opcall *c, const char *name, int64_t v)
{
    add_attr(c, name, TNI_ATTR_INT)->v.i = v;
}

void opcall_string(opcall *c, const char *name, const char *v)
{
    add_attr(c, name, TNI_ATTR_STRING)->v.s = (tn_string){v, strlen(v)};
}

void opcall_ints(opcall *c, const char *name, const int64_t *v, int n)
{
    tni_attr *a = add_attr(c, name, TNI_ATTR_INTS);
    a->n = (size_t)n;
    a->v.ints = v;
}

void opcall_in(opcall *c, tn_dtype dtype, int rank, const int64_t *dims,
               const void *data)
{
    const int i = c->node.n_in++;
    if (data == NULL) return;
    tni_tensor *t = &c->inputs[i];
    if (tni_tensor_alloc(t, &c->arena, dtype, rank, dims, NULL) != TN_OK)
        abort();
    if (t->len > 0)
        memcpy(t->data, data, (size_t)t->len * tn_dtype_size(dtype));
    c->in[i] = t;
    c->in_values[i] = &c->values[i];
}

typedef struct typed {
    tni_type in[OPCALL_MAX], out[OPCALL_MAX];
    const tni_type *in_ptr[OPCALL_MAX], *out_ptr[OPCALL_MAX];
    const tni_tensor *consts[OPCALL_MAX];
} typed;

static tn_status infer(opcall *c, typed *t, int n_out)
{
    memset(t, 0, sizeof *t);
    c->node.n_out = n_out;
    for (int i = 0; i < c->node.n_in; i++) {
        if (c->in[i] == NULL) continue;
        tni_type_of(&t->in[i], c->in[i]);
        t->in_ptr[i] = &t->in[i];
        if (c->inputs_const) t->consts[i] = c->in[i];
    }
    for (int i = 0; i < n_out; i++) {
        c->out_values[i] = &c->values[OPCALL_MAX + i];
        t->out_ptr[i] = &t->out[i];
        memset(&c->outputs[i], 0, sizeof c->outputs[i]);
        c->out[i] = &c->outputs[i];
    }
    tni_infer f = {.node = &c->node,
                   .opset = c->node.opset,
                   .n_in = c->node.n_in,
                   .n_out = n_out,
                   .in = t->in_ptr,
                   .in_const = t->consts,
                   .out = t->out,
                   .arena = &c->arena,
                   .err = &c->err};
    tni_err_clear(&c->err);
    return tni_op_infer(&f);
}

tn_status opcall_ref(opcall *c, int n_out)
{
    typed t;
    TN_TRY(infer(c, &t, n_out));
    tni_ref r = {.node = &c->node,
                 .opset = c->node.opset,
                 .n_in = c->node.n_in,
                 .n_out = n_out,
                 .in = c->in,
                 .out = c->out,
                 .out_arena = &c->arena,
                 .scratch = &c->scratch,
                 .par = c->par,
                 .err = &c->err};
    return tni_op_ref(&r);
}

static void *prepack(tni_plan *c, int slot, size_t size, bool *fresh)
{
    (void)slot;
    *fresh = true;
    return tni_arena_alloc(c->arena, size, 64);
}

static const void *weights(tni_plan *c, int i, size_t at, size_t len)
{
    const tni_tensor *t = c->in_const[i];
    (void)len;
    return (const char *)t->data + at * tn_dtype_size(t->dtype);
}

tn_status opcall_run(opcall *c, int n_out)
{
    typed t;
    TN_TRY(infer(c, &t, n_out));
    for (int i = 0; i < n_out; i++) {
        const tni_type *y = &t.out[i];
        if (!tni_type_is_static(y)) return TN_EUNSUPPORTED;
        TN_TRY(tni_tensor_alloc(&c->outputs[i], &c->arena, y->dtype, y->rank,
                                y->dims, &c->err));
    }
    if (c->alias >= 0) c->outputs[0].data = c->inputs[c->alias].data;
    tni_plan p = {.node = &c->node,
                  .opset = c->node.opset,
                  .n_in = c->node.n_in,
                  .n_out = n_out,
                  .in = t.in_ptr,
                  .in_const = t.consts,
                  .out = t.out_ptr,
                  .kernels = c->kernels,
                  .n_workers = tni_par_workers(c->par),
                  .arena = &c->arena,
                  .prepack = prepack,
                  .weights = weights,
                  .err = &c->err};
    if (c->node.ver->plan == NULL) return TN_EUNSUPPORTED;
    TN_TRY(c->node.ver->plan(&p));
    if (p.run == NULL) return TN_EUNSUPPORTED;
    void *scratch = tni_arena_alloc(&c->scratch, p.scratch_bytes + 1, 64);
    if (scratch == NULL) return TN_ENOMEM;
    tni_fault fault;
    atomic_init(&fault.message, NULL);
    const tni_run r = {.state = p.state,
                       .in = c->in,
                       .out = c->out,
                       .scratch = scratch,
                       .par = c->par,
                       .fault = &fault};
    p.run(&r);
    c->fault = atomic_load(&fault.message);
    return c->fault == NULL ? TN_OK : TN_EINVAL;
}
