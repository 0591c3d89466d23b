/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.h - the only door to memory: allocators, accounting and arenas */
#ifndef TN_SRC_BASE_ALLOC_H
#define TN_SRC_BASE_ALLOC_H

#include "base/config.h"
#include "tenon/base.h"

#include <stdatomic.h>
#include <stdbool.h>

/* The C library's malloc behind a tn_allocator. */
extern const tn_allocator tni_libc_allocator;

/* Gives back to the system what malloc keeps of what was freed, where it can:
 * after a phase that needed much for a while. */
void tni_libc_trim(void);

/* An object's memory: an allocator plus a hard budget, shared by its arenas.
 * Threads: locked (the counters are atomic). */
typedef struct tni_mem {
    tn_allocator allocator;
    size_t limit_bytes;        /* 0: none */
    _Atomic size_t used_bytes; /* now */
    _Atomic size_t peak_bytes; /* ever */
} tni_mem;

void tni_mem_init(tni_mem *mem, const tn_allocator *allocator,
                  size_t limit_bytes);
/* NULL when the allocator or the limit refuses; size 0 gives a valid pointer. */
void *tni_mem_alloc(tni_mem *mem, size_t size, size_t align);
void tni_mem_free(tni_mem *mem, void *ptr, size_t size, size_t align);

/* Bump allocator: pieces are freed all at once. Chunks are kept by reset, so
 * that a warm arena asks its tni_mem for nothing.
 * Threads: exclusive. */
typedef struct tni_arena_chunk {
    struct tni_arena_chunk *next;
    size_t size; /* usable bytes after the header */
} tni_arena_chunk;

typedef struct tni_arena {
    tni_mem *mem;
    tni_arena_chunk *first, *current;
    size_t used;        /* in current */
    size_t chunk_bytes; /* of the next new chunk */
} tni_arena;

/* A place to rewind to. */
typedef struct tni_arena_mark {
    tni_arena_chunk *chunk;
    size_t used;
} tni_arena_mark;

void tni_arena_init(tni_arena *arena, tni_mem *mem, size_t chunk_bytes);
void tni_arena_fini(tni_arena *arena);
void tni_arena_reset(tni_arena *arena);
tni_arena_mark tni_arena_save(const tni_arena *arena);
void tni_arena_rewind(tni_arena *arena, tni_arena_mark mark);

/* Uninitialised / zeroed bytes; NULL when memory is out. */
void *tni_arena_alloc(tni_arena *arena, size_t size, size_t align);
void *tni_arena_zalloc(tni_arena *arena, size_t size, size_t align);
/* A terminated copy of `len` bytes. */
char *tni_arena_strndup(tni_arena *arena, const char *text, size_t len);

/* n objects of type T, zeroed; NULL on overflow or when memory is out. */
void *tni_arena_array(tni_arena *arena, size_t n, size_t elem_size,
                      size_t align);
#define TNI_NEW(arena, T)                                                      \
    ((T *)tni_arena_zalloc((arena), sizeof(T), _Alignof(T)))
#define TNI_NEW_ARRAY(arena, T, n)                                             \
    ((T *)tni_arena_array((arena), (size_t)(n), sizeof(T), _Alignof(T)))

#endif
