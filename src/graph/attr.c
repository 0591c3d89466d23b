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

bool tni_attr_same(const tni_attr *a, const tni_attr *b)
{
    if (a->kind != b->kind || a->n != b->n) return false;
    switch (a->kind) {
    case TNI_ATTR_NONE: return true;
    case TNI_ATTR_FLOAT: return memcmp(&a->v.f, &b->v.f, sizeof a->v.f) == 0;
    case TNI_ATTR_INT: return a->v.i == b->v.i;
    case TNI_ATTR_STRING:
        return a->v.s.len == b->v.s.len &&
               (a->v.s.len == 0 ||
                memcmp(a->v.s.ptr, b->v.s.ptr, a->v.s.len) == 0);
    case TNI_ATTR_TENSOR: return tni_same_tensor(a->v.tensor, b->v.tensor);
    case TNI_ATTR_FLOATS:
        return a->n == 0 ||
               memcmp(a->v.floats, b->v.floats, a->n * sizeof(float)) == 0;
    case TNI_ATTR_INTS:
        return a->n == 0 ||
               memcmp(a->v.ints, b->v.ints, a->n * sizeof(int64_t)) == 0;
    default: return false;
    }
}
