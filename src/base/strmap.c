/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strmap.c - a map from byte strings to pointers, in an arena
 *
 * Open addressing with linear probing, at most three quarters full. The hash
 * mixes eight bytes at a time by a 64 x 64 multiplication and is seeded from
 * the map's address, so that names in a file cannot be chosen to collide.
 */
#include "base/strmap.h"

#include <string.h>

void tni_strmap_init(tni_strmap *map, tni_arena *arena)
{
    memset(map, 0, sizeof *map);
    map->arena = arena;
    map->seed = (uint64_t)(uintptr_t)arena * UINT64_C(0x9e3779b97f4a7c15) ^
                (uint64_t)(uintptr_t)map;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    /* The high half folded on the low one, by 32-bit limbs. */
    const uint64_t al = a & 0xffffffffu, ah = a >> 32;
    const uint64_t bl = b & 0xffffffffu, bh = b >> 32;
    const uint64_t low = al * bl, m1 = ah * bl, m2 = al * bh, high = ah * bh;
    const uint64_t mid = (low >> 32) + (m1 & 0xffffffffu) + (m2 & 0xffffffffu);
    return ((low & 0xffffffffu) | (mid << 32)) ^
           (high + (m1 >> 32) + (m2 >> 32) + (mid >> 32));
}

static uint64_t hash_of(const tni_strmap *map, const char *key, size_t len)
{
    uint64_t h = map->seed ^ (uint64_t)len;
    while (len > 0) {
        uint64_t word = 0;
        const size_t n = len < 8 ? len : 8;
        memcpy(&word, key, n);
        h = mix(h ^ UINT64_C(0xa0761d6478bd642f),
                word ^ UINT64_C(0xe7037ed1a0b428db));
        key += n;
        len -= n;
    }
    return h ^ (h >> 32);
}

/* The slot of the key or the free one it would go to. */
static tni_strmap_slot *probe(const tni_strmap *map, const char *key,
                              size_t len, uint64_t hash)
{
    size_t i = (size_t)hash & (map->cap - 1);
    for (;;) {
        tni_strmap_slot *s = &map->slots[i];
        if (s->key == NULL) return s;
        if (s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0)
            return s;
        i = (i + 1) & (map->cap - 1);
    }
}

void **tni_strmap_find(const tni_strmap *map, const char *key, size_t len)
{
    if (map->cap == 0) return NULL;
    tni_strmap_slot *s = probe(map, key, len, hash_of(map, key, len));
    return s->key != NULL ? &s->value : NULL;
}

static bool grow(tni_strmap *map)
{
    tni_strmap bigger = *map;
    bigger.cap = map->cap == 0 ? 16 : map->cap * 2;
    bigger.slots = TNI_NEW_ARRAY(map->arena, tni_strmap_slot, bigger.cap);
    if (bigger.slots == NULL) return false;
    for (size_t i = 0; i < map->cap; i++) {
        const tni_strmap_slot *s = &map->slots[i];
        if (s->key != NULL) *probe(&bigger, s->key, s->len, s->hash) = *s;
    }
    *map = bigger;
    return true;
}

void **tni_strmap_add(tni_strmap *map, const char *key, size_t len, bool *fresh)
{
    if (map->n >= map->cap - map->cap / 4 && !grow(map)) return NULL;
    const uint64_t hash = hash_of(map, key, len);
    tni_strmap_slot *s = probe(map, key, len, hash);
    *fresh = s->key == NULL;
    if (*fresh) {
        s->key = key;
        s->len = len;
        s->hash = hash;
        map->n++;
    }
    return &s->value;
}
