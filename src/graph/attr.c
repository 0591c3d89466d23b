/* SPDX-License-Identifier: Apache-2.0 */
/* attr.c - reading and setting attributes of nodes */
#include "graph/graph.h"

#include <string.h>

const tni_attr *tni_attr_find(const tni_node *node, const char *name)
{
    for (int i = 0; i < node->n_attrs; i++)
        if (node->attrs[i].kind != TNI_ATTR_NONE &&
            strcmp(node->attrs[i].name, name) == 0)
            return &node->attrs[i];
    return NULL;
}

static const tni_attr *find_kind(const tni_node *node, const char *name,
                                 tni_attr_kind kind)
{
    const tni_attr *a = tni_attr_find(node, name);
    return a != NULL && a->kind == kind ? a : NULL;
}

int64_t tni_attr_int(const tni_node *node, const char *name, int64_t absent)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_INT);
    return a != NULL ? a->v.i : absent;
}

float tni_attr_float(const tni_node *node, const char *name, float absent)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_FLOAT);
    return a != NULL ? a->v.f : absent;
}

const int64_t *tni_attr_ints(const tni_node *node, const char *name, int *n)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_INTS);
    *n = a != NULL ? (int)a->n : 0;
    return a != NULL ? a->v.ints : NULL;
}

const float *tni_attr_floats(const tni_node *node, const char *name, int *n)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_FLOATS);
    *n = a != NULL ? (int)a->n : 0;
    return a != NULL ? a->v.floats : NULL;
}

const tn_string *tni_attr_strings(const tni_node *node, const char *name,
                                  int *n)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_STRINGS);
    *n = a != NULL ? (int)a->n : 0;
    return a != NULL ? a->v.strings : NULL;
}

tn_string tni_attr_string(const tni_node *node, const char *name)
{
    static const tn_string none = {NULL, 0};
    const tni_attr *a = find_kind(node, name, TNI_ATTR_STRING);
    return a != NULL ? a->v.s : none;
}

bool tni_attr_is(const tni_node *node, const char *name, const char *text,
                 const char *absent)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_STRING);
    if (a == NULL) return absent != NULL && strcmp(absent, text) == 0;
    return a->v.s.len == strlen(text) &&
           memcmp(a->v.s.ptr, text, a->v.s.len) == 0;
}

const tni_tensor *tni_attr_tensor(const tni_node *node, const char *name)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_TENSOR);
    return a != NULL ? a->v.tensor : NULL;
}

tni_graph *tni_attr_graph(const tni_node *node, const char *name)
{
    const tni_attr *a = find_kind(node, name, TNI_ATTR_GRAPH);
    return a != NULL ? a->v.graph : NULL;
}

/* The attribute to overwrite, appended when there is none yet. */
static tn_status slot(tni_attr **out, tni_node *node, const char *name,
                      tn_err *err)
{
    for (int i = 0; i < node->n_attrs; i++)
        if (strcmp(node->attrs[i].name, name) == 0) {
            *out = &node->attrs[i];
            return TN_OK;
        }
    TN_TRY(tni_node_grow(node, node->n_in, node->n_attrs + 1, err));
    *out = &node->attrs[node->n_attrs - 1];
    (*out)->name = name;
    return TN_OK;
}

tn_status tni_attr_set_int(tni_node *node, const char *name, int64_t v,
                           tn_err *err)
{
    tni_attr *a = NULL;
    TN_TRY(slot(&a, node, name, err));
    a->kind = TNI_ATTR_INT;
    a->v.i = v;
    return TN_OK;
}

tn_status tni_attr_set_float(tni_node *node, const char *name, float v,
                             tn_err *err)
{
    tni_attr *a = NULL;
    TN_TRY(slot(&a, node, name, err));
    a->kind = TNI_ATTR_FLOAT;
    a->v.f = v;
    return TN_OK;
}

tn_status tni_attr_set_ints(tni_node *node, const char *name, const int64_t *v,
                            int n, tn_err *err)
{
    tni_attr *a = NULL;
    TN_TRY(slot(&a, node, name, err));
    int64_t *copy = TNI_NEW_ARRAY(node->graph->arena, int64_t, n);
    if (copy == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    if (n > 0) memcpy(copy, v, (size_t)n * sizeof *v);
    a->kind = TNI_ATTR_INTS;
    a->n = (size_t)n;
    a->v.ints = copy;
    return TN_OK;
}
