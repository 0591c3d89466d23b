/* SPDX-License-Identifier: Apache-2.0 */
/* column.c - growing tables whose rows never move */
#include "data/column.h"

#include <string.h>

void tni_col_init(tni_col *c, tni_mem *mem, size_t row_size)
{
    memset(c, 0, sizeof *c);
    c->mem = mem;
    c->row_size = (uint32_t)row_size;
}

static size_t chunk_bytes(const tni_col *c)
{
    return (size_t)TNI_COL_ROWS * c->row_size;
}

void tni_col_fini(tni_col *c)
{
    for (uint32_t i = 0; i < c->n_chunks; i++)
        tni_mem_free(c->mem, c->chunks[i], chunk_bytes(c), TNI_ALIGN);
    if (c->chunks != NULL)
        tni_mem_free(c->mem, c->chunks, c->cap_chunks * sizeof *c->chunks,
                     _Alignof(void *));
    c->chunks = NULL;
    c->n = c->n_chunks = c->cap_chunks = 0;
}

static bool add_chunk(tni_col *c)
{
    if (c->n_chunks == c->cap_chunks) {
        const uint32_t cap = c->cap_chunks == 0 ? 4 : c->cap_chunks * 2;
        void **more =
            tni_mem_alloc(c->mem, cap * sizeof *more, _Alignof(void *));
        if (more == NULL) return false;
        if (c->chunks != NULL) {
            memcpy(more, c->chunks, c->n_chunks * sizeof *more);
            tni_mem_free(c->mem, c->chunks, c->cap_chunks * sizeof *more,
                         _Alignof(void *));
        }
        c->chunks = more;
        c->cap_chunks = cap;
    }
    void *chunk = tni_mem_alloc(c->mem, chunk_bytes(c), TNI_ALIGN);
    if (chunk == NULL) return false;
    memset(chunk, 0, chunk_bytes(c));
    c->chunks[c->n_chunks++] = chunk;
    return true;
}

void *tni_col_add(tni_col *c)
{
    if (c->n >= UINT32_MAX - 1) return NULL;
    if (c->n >> TNI_COL_SHIFT == c->n_chunks && !add_chunk(c)) return NULL;
    return tni_col_row(c, c->n++);
}

void tni_col_clear(tni_col *c)
{
    for (uint32_t i = 0; i < c->n; i += TNI_COL_ROWS) {
        const uint32_t n = c->n - i < TNI_COL_ROWS ? c->n - i : TNI_COL_ROWS;
        memset(c->chunks[i >> TNI_COL_SHIFT], 0, (size_t)n * c->row_size);
    }
    c->n = 0;
}

/* --- sparse ------------------------------------------------------------- */

void tni_sparse_init(tni_sparse *s, tni_mem *mem, size_t value_size)
{
    tni_col_init(&s->keys, mem, sizeof(uint32_t));
    tni_col_init(&s->values, mem, value_size);
    tni_col_init(&s->forgotten, mem, sizeof(uint32_t));
    s->n_sorted = 0;
    s->unsorted = false;
    s->dense = true;
}

void tni_sparse_fini(tni_sparse *s)
{
    tni_col_fini(&s->keys);
    tni_col_fini(&s->values);
    tni_col_fini(&s->forgotten);
}

void tni_sparse_clear(tni_sparse *s)
{
    tni_col_clear(&s->keys);
    tni_col_clear(&s->values);
    tni_col_clear(&s->forgotten);
    s->n_sorted = 0;
    s->unsorted = false;
    s->dense = true;
}

static uint32_t key_at(const tni_sparse *s, uint32_t i)
{
    return *TNI_ROW(&s->keys, uint32_t, i);
}

void *tni_sparse_add(tni_sparse *s, uint32_t key)
{
    uint32_t *k = tni_col_add(&s->keys);
    if (k == NULL) return NULL;
    void *v = tni_col_add(&s->values);
    if (v == NULL) {
        s->keys.n--;
        return NULL;
    }
    *k = key;
    const uint32_t i = s->keys.n - 1;
    s->dense = s->dense && key == i;
    if (i > 0 && key_at(s, i - 1) > key) s->unsorted = true;
    if (!s->unsorted) s->n_sorted = i + 1;
    return v;
}

/* Merge sort by row numbers: stable, and no recursion. */
static void sort_rows(const tni_sparse *s, uint32_t *a, uint32_t *b, uint32_t n)
{
    for (uint64_t width = 1; width < n; width *= 2) {
        for (uint64_t lo = 0; lo < n; lo += 2 * width) {
            const uint64_t mid = lo + width < n ? lo + width : n;
            const uint64_t hi = lo + 2 * width < n ? lo + 2 * width : n;
            uint64_t i = lo, j = mid;
            for (uint64_t k = lo; k < hi; k++) {
                const bool left =
                    i < mid && (j >= hi || key_at(s, a[i]) <= key_at(s, a[j]));
                b[k] = left ? a[i++] : a[j++];
            }
        }
        memcpy(a, b, n * sizeof *a);
    }
}

bool tni_sparse_forget(tni_sparse *s, uint32_t key)
{
    if (tni_sparse_find(s, key, 0) == NULL) return true;
    uint32_t *k = tni_col_add(&s->forgotten);
    if (k == NULL) return false;
    *k = key;
    s->unsorted = true;
    return true;
}

/* Keys of rows to be dropped become UINT32_MAX. Forgotten keys come in any
 * order: one bit for each. */
static bool drop_forgotten(tni_sparse *s)
{
    if (s->forgotten.n == 0) return true;
    const uint32_t last = key_at(s, s->n_sorted - 1);
    const size_t bytes = (size_t)last / 8 + 1;
    unsigned char *bits = tni_mem_alloc(s->keys.mem, bytes, 1);
    if (bits == NULL) return false;
    memset(bits, 0, bytes);
    for (uint32_t i = 0; i < s->forgotten.n; i++) {
        const uint32_t key = *TNI_ROW(&s->forgotten, uint32_t, i);
        bits[key / 8] = (unsigned char)(bits[key / 8] | 1u << (key % 8));
    }
    for (uint32_t i = 0; i < s->n_sorted; i++) {
        uint32_t *key = TNI_ROW(&s->keys, uint32_t, i);
        if ((bits[*key / 8] >> (*key % 8) & 1) != 0) *key = UINT32_MAX;
    }
    tni_mem_free(s->keys.mem, bits, bytes, 1);
    return true;
}

bool tni_sparse_sort(tni_sparse *s)
{
    if (!s->unsorted) return true;
    const uint32_t n = s->keys.n;
    tni_mem *mem = s->keys.mem;
    if (!drop_forgotten(s)) return false;
    const size_t bytes = 2 * (size_t)n * sizeof(uint32_t);
    uint32_t *rows = tni_mem_alloc(mem, bytes, _Alignof(uint32_t));
    if (rows == NULL) return false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (key_at(s, i) != UINT32_MAX) rows[kept++] = i;
    sort_rows(s, rows, rows + n, kept);
    tni_sparse sorted;
    tni_sparse_init(&sorted, mem, s->values.row_size);
    bool ok = true;
    for (uint32_t i = 0; ok && i < kept; i++) {
        void *v = tni_sparse_add(&sorted, key_at(s, rows[i]));
        ok = v != NULL;
        if (ok) memcpy(v, tni_col_row(&s->values, rows[i]), s->values.row_size);
    }
    tni_mem_free(mem, rows, bytes, _Alignof(uint32_t));
    if (!ok) {
        tni_sparse_fini(&sorted);
        return false;
    }
    tni_sparse_fini(s);
    *s = sorted;
    return true;
}

bool tni_sparse_rekey(tni_sparse *s, const uint32_t *to)
{
    if (!tni_sparse_sort(s)) return false;
    for (uint32_t i = 0; i < s->keys.n; i++) {
        uint32_t *key = TNI_ROW(&s->keys, uint32_t, i);
        *key = to[*key];
    }
    s->unsorted = s->keys.n > 0;
    return tni_sparse_sort(s);
}

void *tni_sparse_find(const tni_sparse *s, uint32_t key, uint32_t k)
{
    const uint32_t n = s->n_sorted;
    uint32_t lo = 0, hi = n;
    if (s->dense)
        return k == 0 && key < n ? tni_col_row(&s->values, key) : NULL;
    /* Where most rows have one value, it is in the row of its key. */
    if (key < n && key_at(s, key) == key &&
        (key == 0 || key_at(s, key - 1) < key))
        lo = hi = key;
    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        if (key_at(s, mid) < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (k >= n - lo || key_at(s, lo + k) != key) return NULL;
    return tni_col_row(&s->values, lo + k);
}
