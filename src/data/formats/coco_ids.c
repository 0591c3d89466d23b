/* SPDX-License-Identifier: Apache-2.0 */
/* coco_ids.c - from the id of a row to its number */
#include "data/formats/coco.h"

void tni_idmap_init(tni_idmap *m, tni_arena *arena)
{
    memset(m, 0, sizeof *m);
    m->arena = arena;
    tni_strmap_init(&m->texts, arena);
}

/* Ids in a file can be chosen to collide: mix by an odd product, seeded. */
static uint32_t slot_of(const tni_idmap *m, int64_t id)
{
    uint64_t h = (uint64_t)id ^ (uint64_t)(uintptr_t)m->arena;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    h ^= h >> 32;
    uint32_t i = (uint32_t)h & (m->cap - 1);
    while (m->values[i] != TN_NONE && m->keys[i] != id)
        i = (i + 1) & (m->cap - 1);
    return i;
}

uint32_t tni_idmap_find(const tni_idmap *m, uint8_t kind, int64_t id)
{
    if (kind == TN_ID_TEXT) {
        const char *text = (const char *)(intptr_t)id;
        void **found = tni_strmap_find(&m->texts, text, strlen(text));
        return found != NULL ? (uint32_t)((uintptr_t)*found - 1) : TN_NONE;
    }
    if (kind != TN_ID_INT || m->cap == 0) return TN_NONE;
    return m->values[slot_of(m, id)];
}

static bool grow(tni_idmap *m)
{
    const tni_idmap old = *m;
    m->cap = old.cap == 0 ? 64 : old.cap * 2;
    m->keys = TNI_NEW_ARRAY(m->arena, int64_t, m->cap);
    m->values = TNI_NEW_ARRAY(m->arena, uint32_t, m->cap);
    if (m->keys == NULL || m->values == NULL) {
        *m = old;
        return false;
    }
    memset(m->values, 0xff, m->cap * sizeof *m->values);
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.values[i] == TN_NONE) continue;
        const uint32_t at = slot_of(m, old.keys[i]);
        m->keys[at] = old.keys[i];
        m->values[at] = old.values[i];
    }
    return true;
}

bool tni_idmap_add(tni_idmap *m, uint8_t kind, int64_t id, uint32_t value)
{
    if (kind == TN_ID_TEXT) {
        bool fresh = false;
        const char *text = (const char *)(intptr_t)id;
        void **slot = tni_strmap_add(&m->texts, text, strlen(text), &fresh);
        if (slot == NULL) return false;
        if (fresh) *slot = (void *)((uintptr_t)value + 1);
        return true;
    }
    if (kind != TN_ID_INT) return true;
    if (m->n >= m->cap / 2 && !grow(m)) return false;
    const uint32_t at = slot_of(m, id);
    if (m->values[at] != TN_NONE) return true;
    m->keys[at] = id;
    m->values[at] = value;
    m->n++;
    return true;
}
