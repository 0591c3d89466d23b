/* SPDX-License-Identifier: Apache-2.0 */
/* reorder.c - classes and images in another order, with all that names them */
#include "data/dataset.h"

#include <string.h>

/* Gives rows of a table their places; `to` is a permutation. */
static bool move_rows(tni_col *col, const uint32_t *to)
{
    const size_t size = col->row_size;
    const size_t bytes = (size_t)col->n * size;
    if (col->n == 0) return true;
    char *copy = tni_mem_alloc(col->mem, bytes, _Alignof(max_align_t));
    if (copy == NULL) return false;
    for (uint32_t i = 0; i < col->n; i++)
        memcpy(copy + (size_t)to[i] * size, tni_col_row(col, i), size);
    for (uint32_t i = 0; i < col->n; i++)
        memcpy(tni_col_row(col, i), copy + (size_t)i * size, size);
    tni_mem_free(col->mem, copy, bytes, _Alignof(max_align_t));
    return true;
}

static void move_reference(uint32_t *row, const uint32_t *to)
{
    if (*row != TN_NONE) *row = to[*row];
}

/* Where the names are now; all of them are in the index. */
static void index_again(tn_dataset *d)
{
    for (uint32_t i = d->classes.n; i-- > 0;) {
        const char *name = tni_class_at(d, i)->name;
        void **slot = tni_strmap_find(&d->class_names, name, strlen(name));
        if (slot != NULL) *slot = (void *)((uintptr_t)i + 1);
    }
}

bool tni_reorder_classes(tn_dataset *d, const uint32_t *to)
{
    if (!move_rows(&d->classes, to)) return false;
    index_again(d);
    for (uint32_t i = 0; i < d->anns.n; i++)
        move_reference(&tni_ann_at(d, i)->class_index, to);
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        if (!tni_sparse_rekey(&d->class_text[k], to)) return false;
    return true;
}

bool tni_reorder_images(tn_dataset *d, const uint32_t *to)
{
    if (!move_rows(&d->images, to)) return false;
    for (uint32_t i = 0; i < d->anns.n; i++)
        move_reference(&tni_ann_at(d, i)->image, to);
    for (int k = 0; k < TN_TEXT_COUNT; k++)
        if (!tni_sparse_rekey(&d->image_text[k], to)) return false;
    return tni_sparse_rekey(&d->image_bytes, to) &&
           tni_sparse_rekey(&d->image_files, to);
}
