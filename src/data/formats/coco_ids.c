/* SPDX-License-Identifier: Apache-2.0 */
/* coco_ids.c - from the id of a row to its number; ids that come twice */
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

/* --- annotations --------------------------------------------------------- */

static int64_t id_at(const tn_dataset *d, uint32_t i)
{
    return tni_ann_at(d, i)->id;
}

static bool same_id(const tn_dataset *d, uint32_t a, uint32_t b)
{
    const uint8_t kind = tni_ann_id_kind(*tni_flags_at(d, a));
    if (kind != tni_ann_id_kind(*tni_flags_at(d, b))) return false;
    if (kind != TN_ID_TEXT) return id_at(d, a) == id_at(d, b);
    return strcmp((const char *)(intptr_t)id_at(d, a),
                  (const char *)(intptr_t)id_at(d, b)) == 0;
}

static uint32_t hash_of(const tn_dataset *d, uint32_t i, uint64_t seed)
{
    uint64_t h = (uint64_t)id_at(d, i) ^ seed;
    if (tni_ann_id_kind(*tni_flags_at(d, i)) == TN_ID_TEXT) {
        h = seed;
        for (const char *p = (const char *)(intptr_t)id_at(d, i); *p != '\0';
             p++)
            h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    }
    h *= UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(h >> 32);
}

/* Whether every id is an integer larger than the one before it: most files. */
static bool ids_ascend(const tn_dataset *d, uint32_t first)
{
    for (uint32_t i = first; i < d->anns.n; i++)
        if (tni_ann_id_kind(*tni_flags_at(d, i)) != TN_ID_INT ||
            (i > first && id_at(d, i) <= id_at(d, i - 1)))
            return false;
    return true;
}

static tn_status find_twins(tn_dataset *d, uint32_t first, uint32_t *slots,
                            uint32_t cap, tn_err *err)
{
    const uint64_t seed = (uint64_t)(uintptr_t)d;
    memset(slots, 0xff, cap * sizeof *slots);
    for (uint32_t i = first; i < d->anns.n; i++) {
        if (tni_ann_id_kind(*tni_flags_at(d, i)) == TN_ID_NONE) continue;
        uint32_t at = hash_of(d, i, seed) & (cap - 1);
        while (slots[at] != TN_NONE && !same_id(d, slots[at], i))
            at = (at + 1) & (cap - 1);
        if (slots[at] == TN_NONE) {
            slots[at] = i;
            continue;
        }
        TN_TRY(tni_note_add(d, tni_ann_at(d, i)->where,
                            "duplicate-annotation-id", err,
                            "an annotation has the id of one before it: both "
                            "are kept, most other readers keep one"));
    }
    return TN_OK;
}

tn_status tni_coco_check_ids(tn_dataset *d, uint32_t first, tn_err *err)
{
    const uint32_t n = d->anns.n - first;
    uint32_t cap = 64;
    if (ids_ascend(d, first)) return TN_OK;
    while (cap < UINT32_C(1) << 31 && cap / 2 < n) cap *= 2;
    const size_t size = (size_t)cap * sizeof(uint32_t);
    uint32_t *slots =
        n < cap ? tni_mem_alloc(&d->mem, size, _Alignof(uint32_t)) : NULL;
    if (slots == NULL)
        return tni_fail(err, TN_ENOMEM,
                        "out of memory, or over the dataset's memory limit");
    const tn_status status = find_twins(d, first, slots, cap, err);
    tni_mem_free(&d->mem, slots, size, _Alignof(uint32_t));
    return status;
}
