/* SPDX-License-Identifier: Apache-2.0 */
/* weights.c - constants on their way from the model to kernels */
#include "exec/weights.h"

#include "tensor/raw.h"

#include <string.h>

/* Memory of (node, slot) that operators keep packed constants in. */
struct tni_packed {
    const tni_node *node; /* the first of those alike */
    int slot;
    size_t size;
    void *data;
    tni_packed *next;
};

struct tni_settled {
    const tni_tensor *raw;
    tni_tensor plain;
    size_t size;
    tni_settled *next;
};

void tni_weights_init(tni_weights *w, tni_mem *mem)
{
    memset(w, 0, sizeof *w);
    w->mem = mem;
    tni_arena_init(&w->arena, mem, 1 << 14);
}

void tni_weights_rest(tni_weights *w)
{
    tni_mem_free(w->mem, w->buffer, w->buffer_bytes, TNI_ALIGN);
    w->buffer = NULL;
    w->buffer_bytes = 0;
}

void tni_weights_fini(tni_weights *w)
{
    tni_weights_rest(w);
    for (int i = 0; i < TNI_PACKED_BUCKETS; i++)
        for (tni_packed *e = w->packed[i]; e != NULL; e = e->next)
            tni_mem_free(w->mem, e->data, e->size, TNI_ALIGN);
    for (int i = 0; i < TNI_SETTLED_BUCKETS; i++)
        for (tni_settled *e = w->settled[i]; e != NULL; e = e->next)
            tni_mem_free(w->mem, e->plain.data, e->size, TNI_ALIGN);
    tni_arena_fini(&w->arena);
}

/* --- packed ------------------------------------------------------------ */

static const tni_tensor *constant(const tni_node *node, int i)
{
    return node->in[i] != NULL ? node->in[i]->constant : NULL;
}

/* True when both nodes pack the same: the same operator and attributes over
 * the same constants in the same places (layers that share their weights). */
static bool same_packing(const tni_node *a, const tni_node *b)
{
    bool any = false;
    if (a == b) return true;
    if (a->ver != b->ver || a->n_in != b->n_in || a->n_attrs != b->n_attrs)
        return false;
    for (int i = 0; i < a->n_in; i++) {
        if (constant(a, i) != constant(b, i) ||
            (a->in[i] == NULL) != (b->in[i] == NULL) ||
            (a->in[i] != NULL && a->in[i]->type.dtype != b->in[i]->type.dtype))
            return false;
        any = any || constant(a, i) != NULL;
    }
    for (int i = 0; i < a->n_attrs; i++)
        if (strcmp(a->attrs[i].name, b->attrs[i].name) != 0 ||
            !tni_attr_same(&a->attrs[i], &b->attrs[i]))
            return false;
    return any;
}

static size_t hash_constants(const tni_node *node)
{
    size_t hash = 0;
    for (int i = 0; i < node->n_in; i++)
        hash = hash * 1000003u ^ ((uintptr_t)constant(node, i) >> 4);
    /* Packed attributes (trees) have no constants to go by. */
    return hash != 0 ? hash ^ hash >> 15 : (uintptr_t)node >> 6;
}

static void *prepack(tni_plan *c, int slot, size_t size, bool *fresh)
{
    const tni_packing *host = c->host;
    tni_weights *w = host->weights;
    *fresh = true;
    if (!host->shared) return tni_arena_alloc(c->arena, size, TNI_ALIGN);
    const size_t hash = hash_constants(c->node) + (size_t)slot * 31u;
    tni_packed **bucket = &w->packed[hash % TNI_PACKED_BUCKETS];
    for (tni_packed *e = *bucket; e != NULL; e = e->next) {
        if (e->slot == slot && e->size == size &&
            same_packing(e->node, c->node)) {
            *fresh = false;
            return e->data;
        }
    }
    tni_packed *e = TNI_NEW(&w->arena, tni_packed);
    if (e == NULL) return NULL;
    e->data = tni_mem_alloc(w->mem, size, TNI_ALIGN);
    if (e->data == NULL) return NULL;
    e->node = c->node;
    e->slot = slot;
    e->size = size;
    e->next = *bucket;
    *bucket = e;
    w->packed_bytes += size;
    return e->data;
}

/* --- read in parts ------------------------------------------------------ */

static void let_go(tni_packing *p)
{
    if (p->read != NULL && p->weights->drop != NULL)
        p->weights->drop(p->weights->drop_ctx, p->read, p->read_bytes);
    p->read = NULL;
}

static void *grow(tni_weights *w, size_t size)
{
    if (size <= w->buffer_bytes) return w->buffer;
    tni_weights_rest(w);
    w->buffer = tni_mem_alloc(w->mem, size, TNI_ALIGN);
    w->buffer_bytes = w->buffer != NULL ? size : 0;
    return w->buffer;
}

static const void *weights(tni_plan *c, int i, size_t at, size_t len)
{
    tni_packing *p = c->host;
    const tni_tensor *t = c->in_const[i];
    let_go(p);
    p->read = tni_tensor_source(t, at, len, &p->read_bytes);
    if (tni_tensor_is_plain(t)) return p->read;
    void *to = grow(p->weights, len * tn_dtype_size(t->dtype));
    if (to != NULL) tni_tensor_read(to, t, at, len);
    return to;
}

void tni_weights_begin(tni_packing *p, tni_weights *w, tni_plan *c, bool shared)
{
    memset(p, 0, sizeof *p);
    p->weights = w;
    p->shared = shared;
    c->prepack = prepack;
    c->weights = weights;
    c->host = p;
}

void tni_weights_end(tni_packing *p, tni_plan *c)
{
    let_go(p);
    c->host = NULL;
}

/* --- read as they are --------------------------------------------------- */

tn_status tni_weights_settle(const tni_tensor **out, tni_weights *w,
                             const tni_tensor *t, tn_err *err)
{
    *out = t;
    if (tni_tensor_is_plain(t)) return TN_OK;
    tni_settled **bucket =
        &w->settled[((uintptr_t)t >> 5) % TNI_SETTLED_BUCKETS];
    for (tni_settled *e = *bucket; e != NULL; e = e->next) {
        if (e->raw != t) continue;
        *out = &e->plain;
        return TN_OK;
    }
    tni_settled *e = TNI_NEW(&w->arena, tni_settled);
    const size_t size = tn_tensor_size(t);
    void *data = e != NULL ? tni_mem_alloc(w->mem, size, TNI_ALIGN) : NULL;
    if (data == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory while planning");
    enum { step = 1 << 18 }; /* elements */
    for (size_t at = 0, len = (size_t)t->len; at < len; at += step) {
        const size_t n = len - at < step ? len - at : step;
        size_t bytes = 0;
        const void *from = tni_tensor_source(t, at, n, &bytes);
        tni_tensor_read((char *)data + at * tn_dtype_size(t->dtype), t, at, n);
        if (w->drop != NULL) w->drop(w->drop_ctx, from, bytes);
    }
    e->plain = *t;
    e->plain.scaled = NULL;
    e->plain.data = data;
    e->raw = t;
    e->size = size;
    e->next = *bucket;
    *bucket = e;
    *out = &e->plain;
    return TN_OK;
}
