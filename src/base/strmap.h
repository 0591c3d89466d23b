/* SPDX-License-Identifier: Apache-2.0 */
/* strmap.h - a map from byte strings to pointers, in an arena */
#ifndef TN_SRC_BASE_STRMAP_H
#define TN_SRC_BASE_STRMAP_H

#include "base/alloc.h"

typedef struct tni_strmap_slot {
    const char *key; /* NULL: free */
    size_t len;
    uint64_t hash;
    void *value;
} tni_strmap_slot;

/* Keys are borrowed and must outlive the map. Zeroed but for the arena it is
 * empty. Threads: exclusive. */
typedef struct tni_strmap {
    tni_arena *arena;
    tni_strmap_slot *slots;
    size_t n, cap; /* cap is 0 or a power of two */
    uint64_t seed;
} tni_strmap;

void tni_strmap_init(tni_strmap *map, tni_arena *arena);

/* Where the value of the key is kept, NULL when the key is not there. */
void **tni_strmap_find(const tni_strmap *map, const char *key, size_t len);

/*
 * As find, adding the key with a NULL value when it is not there; *fresh says
 * which. NULL when memory is out. Valid until the next call of add.
 */
void **tni_strmap_add(tni_strmap *map, const char *key, size_t len,
                      bool *fresh);

#endif
