/* SPDX-License-Identifier: Apache-2.0 */
/* column.h - growing tables whose rows never move */
#ifndef TN_SRC_DATA_COLUMN_H
#define TN_SRC_DATA_COLUMN_H

#include "base/alloc.h"

#include <stddef.h>
#include <stdint.h>

enum { TNI_COL_SHIFT = 10, TNI_COL_ROWS = 1 << TNI_COL_SHIFT };

/* Rows of one size in chunks of TNI_COL_ROWS: adding a row moves none, and
 * memory holds at most one chunk more than the rows need.
 * Threads: exclusive while it grows, then immutable. */
typedef struct tni_col {
    tni_mem *mem;
    void **chunks;
    uint32_t n, n_chunks, cap_chunks, row_size;
} tni_col;

void tni_col_init(tni_col *c, tni_mem *mem, size_t row_size);
void tni_col_fini(tni_col *c);
/* A zeroed row at the end; NULL when memory is out or 2^32 - 2 rows are in. */
void *tni_col_add(tni_col *c);

/* Without rows; its memory stays for the next. */
void tni_col_clear(tni_col *c);

static inline void *tni_col_row(const tni_col *c, uint32_t i)
{
    return (char *)c->chunks[i >> TNI_COL_SHIFT] +
           (size_t)(i & (TNI_COL_ROWS - 1)) * c->row_size;
}

#define TNI_ROW(col, T, i) ((T *)tni_col_row((col), (i)))

/* Rows that few of a table's rows have: by key, in the order of the keys; a key
 * may have several. Sorted by tni_sparse_sort once all are in. */
typedef struct tni_sparse {
    tni_col keys; /* uint32_t */
    tni_col values;
    tni_col forgotten; /* uint32_t keys */
    uint32_t n_sorted; /* rows before late additions */
    bool unsorted;
    bool dense; /* row i is that of key i: no key has to be looked at */
} tni_sparse;

void tni_sparse_init(tni_sparse *s, tni_mem *mem, size_t value_size);
/* Without rows; its memory stays for the next. */
void tni_sparse_clear(tni_sparse *s);
void tni_sparse_fini(tni_sparse *s);
/* A zeroed value for the key; NULL when memory is out. */
void *tni_sparse_add(tni_sparse *s, uint32_t key);
/* Brings late additions into order, those of a key as they were added. False
 * when memory is out. */
bool tni_sparse_sort(tni_sparse *s);
/* Every key becomes to[key], a permutation; values that were forgotten go.
 * False when memory is out. */
bool tni_sparse_rekey(tni_sparse *s, const uint32_t *to);
/* Lets go of the values a key has now; later ones stay. */
bool tni_sparse_forget(tni_sparse *s, uint32_t key);
/* Value k of a key, NULL past its last; late additions only after sorting. */
void *tni_sparse_find(const tni_sparse *s, uint32_t key, uint32_t k);

#endif
