/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc.c - allocators, accounting and arenas
 *
 * The one file that may call malloc. Arena pieces are separated by poisoned
 * bytes under AddressSanitizer, so an overrun inside a chunk is still caught.
 */
#include "base/alloc.h"

#include "base/checked.h"

#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#if TN_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#define RED_ZONE       32
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#define RED_ZONE       0
#endif

static void *libc_alloc(void *ctx, size_t size, size_t align)
{
    (void)ctx;
    if (align <= _Alignof(max_align_t)) return malloc(size != 0 ? size : 1);
    size_t rounded = 0;
    if (!tni_align_up(size != 0 ? size : 1, align, &rounded)) return NULL;
    return aligned_alloc(align, rounded);
}

static void libc_free(void *ctx, void *ptr, size_t size, size_t align)
{
    (void)ctx;
    (void)size;
    (void)align;
    free(ptr);
}

const tn_allocator tni_libc_allocator = {NULL, libc_alloc, libc_free};

void tni_libc_trim(void)
{
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
}

void tni_mem_init(tni_mem *mem, const tn_allocator *allocator,
                  size_t limit_bytes)
{
    mem->allocator = allocator != NULL ? *allocator : tni_libc_allocator;
    mem->limit_bytes = limit_bytes;
    atomic_init(&mem->used_bytes, 0);
    atomic_init(&mem->peak_bytes, 0);
}

void *tni_mem_alloc(tni_mem *mem, size_t size, size_t align)
{
    const size_t before =
        atomic_fetch_add_explicit(&mem->used_bytes, size, memory_order_relaxed);
    size_t now = 0;
    if (!tni_add_size(before, size, &now) ||
        (mem->limit_bytes != 0 && now > mem->limit_bytes)) {
        atomic_fetch_sub_explicit(&mem->used_bytes, size, memory_order_relaxed);
        return NULL;
    }
    void *ptr = mem->allocator.alloc(mem->allocator.ctx, size, align);
    if (ptr == NULL) {
        atomic_fetch_sub_explicit(&mem->used_bytes, size, memory_order_relaxed);
        return NULL;
    }
    size_t peak = atomic_load_explicit(&mem->peak_bytes, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(
                             &mem->peak_bytes, &peak, now, memory_order_relaxed,
                             memory_order_relaxed)) {
    }
    return ptr;
}

void tni_mem_free(tni_mem *mem, void *ptr, size_t size, size_t align)
{
    if (ptr == NULL) return;
    atomic_fetch_sub_explicit(&mem->used_bytes, size, memory_order_relaxed);
    mem->allocator.free(mem->allocator.ctx, ptr, size, align);
}

/* The header of a chunk, padded so that its bytes start on a cache line. */
#define CHUNK_HEADER TNI_ALIGN
_Static_assert(sizeof(tni_arena_chunk) <= CHUNK_HEADER, "chunk header fits");

static char *chunk_bytes(tni_arena_chunk *chunk)
{
    return (char *)chunk + CHUNK_HEADER;
}

void tni_arena_init(tni_arena *arena, tni_mem *mem, size_t chunk_size)
{
    arena->mem = mem;
    arena->first = arena->current = NULL;
    arena->used = 0;
    arena->chunk_bytes = chunk_size < 256 ? 256 : chunk_size;
}

void tni_arena_fini(tni_arena *arena)
{
    tni_arena_chunk *chunk = arena->first;
    while (chunk != NULL) {
        tni_arena_chunk *next = chunk->next;
        UNPOISON(chunk_bytes(chunk), chunk->size);
        tni_mem_free(arena->mem, chunk, CHUNK_HEADER + chunk->size, TNI_ALIGN);
        chunk = next;
    }
    arena->first = arena->current = NULL;
    arena->used = 0;
}

void tni_arena_reset(tni_arena *arena)
{
    const tni_arena_mark start = {NULL, 0};
    tni_arena_rewind(arena, start);
}

tni_arena_mark tni_arena_save(const tni_arena *arena)
{
    const tni_arena_mark mark = {arena->current, arena->used};
    return mark;
}

void tni_arena_rewind(tni_arena *arena, tni_arena_mark mark)
{
    if (mark.chunk == NULL) {
        mark.chunk = arena->first;
        mark.used = 0;
    }
    arena->current = mark.chunk;
    arena->used = mark.used;
    for (tni_arena_chunk *c = mark.chunk; c != NULL; c = c->next) {
        const size_t keep = c == mark.chunk ? mark.used : 0;
        POISON(chunk_bytes(c) + keep, c->size - keep);
    }
}

/* Makes `current` a chunk with room for size at align; false when out. */
static bool next_chunk(tni_arena *arena, size_t need)
{
    tni_arena_chunk *cur = arena->current;
    tni_arena_chunk *next = cur != NULL ? cur->next : arena->first;
    if (next != NULL && next->size >= need) {
        arena->current = next;
        arena->used = 0;
        return true;
    }
    size_t size = arena->chunk_bytes > need ? arena->chunk_bytes : need;
    size_t total = 0;
    if (!tni_align_up(size, TNI_ALIGN, &size) ||
        !tni_add_size(size, CHUNK_HEADER, &total))
        return false;
    tni_arena_chunk *chunk = tni_mem_alloc(arena->mem, total, TNI_ALIGN);
    if (chunk == NULL) return false;
    chunk->size = size;
    chunk->next = next;
    POISON(chunk_bytes(chunk), size);
    if (cur != NULL)
        cur->next = chunk;
    else
        arena->first = chunk;
    arena->current = chunk;
    arena->used = 0;
    return true;
}

void *tni_arena_alloc(tni_arena *arena, size_t size, size_t align)
{
    size_t need = 0;
    if (!tni_add_size(size != 0 ? size : 1, align + RED_ZONE, &need))
        return NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        tni_arena_chunk *chunk = arena->current;
        if (chunk != NULL) {
            /* Chunk bytes start on a cache line, so offsets align too, up to
             * that alignment, which is the largest anything asks for. */
            const size_t at = (arena->used + align - 1) & ~(align - 1);
            if (at <= chunk->size && chunk->size - at >= size + RED_ZONE) {
                arena->used = at + (size != 0 ? size : 1) + RED_ZONE;
                if (arena->used > chunk->size) arena->used = chunk->size;
                UNPOISON(chunk_bytes(chunk) + at, size);
                return chunk_bytes(chunk) + at;
            }
        }
        if (!next_chunk(arena, need)) return NULL;
    }
    return NULL;
}

void *tni_arena_zalloc(tni_arena *arena, size_t size, size_t align)
{
    void *ptr = tni_arena_alloc(arena, size, align);
    if (ptr != NULL) memset(ptr, 0, size);
    return ptr;
}

char *tni_arena_strndup(tni_arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX) return NULL;
    char *copy = tni_arena_alloc(arena, len + 1, 1);
    if (copy == NULL) return NULL;
    if (len != 0) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void *tni_arena_array(tni_arena *arena, size_t n, size_t elem_size,
                      size_t align)
{
    size_t size = 0;
    if (!tni_mul_size(n, elem_size, &size)) return NULL;
    return tni_arena_zalloc(arena, size, align);
}
