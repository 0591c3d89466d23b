/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memplan.c - place the tensors of a plan in one block
 *
 * Greedy by size, best fit: the largest storage is placed first, each next one
 * in the smallest gap between those already placed that live at the same time
 * (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
 * Inference", 2020). That is quadratic, so plans of many thousand tensors are
 * placed in order of time instead, from a list of free ranges.
 */
#include "exec/memplan.h"

#include "base/checked.h"

#include <stdlib.h>
#include <string.h>

enum { QUADRATIC_MAX = 4000 };

static int by_size(const void *pa, const void *pb)
{
    const tni_storage *a = *(tni_storage *const *)pa;
    const tni_storage *b = *(tni_storage *const *)pb;
    if (a->size != b->size) return a->size > b->size ? -1 : 1;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int by_first(const void *pa, const void *pb)
{
    const tni_storage *a = *(tni_storage *const *)pa;
    const tni_storage *b = *(tni_storage *const *)pb;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a < b ? -1 : a > b;
}

static bool overlap(const tni_storage *a, const tni_storage *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* `placed` is kept sorted by offset. */
static void place_best_fit(tni_storage *s, tni_storage **placed, int n,
                           size_t *total)
{
    size_t best = SIZE_MAX, best_gap = SIZE_MAX, end = 0;
    for (int i = 0; i < n; i++) {
        const tni_storage *p = placed[i];
        if (!overlap(p, s)) continue;
        if (p->offset > end) {
            const size_t gap = p->offset - end;
            if (gap >= s->size && gap < best_gap) {
                best = end;
                best_gap = gap;
            }
        }
        if (p->offset + p->size > end) end = p->offset + p->size;
    }
    s->offset = best != SIZE_MAX ? best : end;
    if (s->offset + s->size > *total) *total = s->offset + s->size;
    int at = n;
    while (at > 0 && placed[at - 1]->offset > s->offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = s;
}

typedef struct range {
    size_t offset, size;
} range;

/* Takes the smallest range that fits from `free_list`, or the block's end. */
static size_t take_range(range *free_list, int *n_free, size_t size,
                         size_t *total)
{
    int best = -1;
    for (int i = 0; i < *n_free; i++)
        if (free_list[i].size >= size &&
            (best < 0 || free_list[i].size < free_list[best].size))
            best = i;
    if (best < 0) {
        const size_t at = *total;
        *total += size;
        return at;
    }
    const size_t at = free_list[best].offset;
    free_list[best].offset += size;
    free_list[best].size -= size;
    if (free_list[best].size == 0) free_list[best] = free_list[--(*n_free)];
    return at;
}

static void give_range(range *free_list, int *n_free, size_t offset,
                       size_t size)
{
    range r = {offset, size};
    for (int i = 0; i < *n_free;) {
        range *f = &free_list[i];
        if (f->offset + f->size == r.offset || r.offset + r.size == f->offset) {
            if (f->offset < r.offset) r.offset = f->offset;
            r.size += f->size;
            *f = free_list[--(*n_free)];
            i = 0;
        } else {
            i++;
        }
    }
    free_list[(*n_free)++] = r;
}

/* Linear in time: storages by first use, dying ones kept in a heap by last. */
static tn_status place_in_time(size_t *total, tni_storage **order, int n,
                               tni_arena *tmp, tn_err *err)
{
    tni_storage **live = TNI_NEW_ARRAY(tmp, tni_storage *, n + 1);
    range *free_list = TNI_NEW_ARRAY(tmp, range, n + 1);
    if (live == NULL || free_list == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    int n_live = 0, n_free = 0;
    for (int i = 0; i < n; i++) {
        tni_storage *s = order[i];
        while (n_live > 0 && live[0]->last < s->first) {
            give_range(free_list, &n_free, live[0]->offset, live[0]->size);
            tni_storage *x = live[--n_live];
            int k = 0;
            for (;;) {
                int c = 2 * k + 1;
                if (c >= n_live) break;
                if (c + 1 < n_live && live[c + 1]->last < live[c]->last) c++;
                if (live[c]->last >= x->last) break;
                live[k] = live[c];
                k = c;
            }
            if (n_live > 0) live[k] = x;
        }
        s->offset = take_range(free_list, &n_free, s->size, total);
        int k = n_live++;
        while (k > 0 && live[(k - 1) / 2]->last > s->last) {
            live[k] = live[(k - 1) / 2];
            k = (k - 1) / 2;
        }
        live[k] = s;
    }
    return TN_OK;
}

tn_status tni_memplan(size_t *total, tni_storage *items, int n, tni_arena *tmp,
                      tn_err *err)
{
    *total = 0;
    const tni_arena_mark mark = tni_arena_save(tmp);
    tni_storage **order = TNI_NEW_ARRAY(tmp, tni_storage *, n);
    tni_storage **placed = TNI_NEW_ARRAY(tmp, tni_storage *, n);
    if (order == NULL || placed == NULL)
        return tni_fail(err, TN_ENOMEM, "out of memory");
    size_t sum = 0;
    for (int i = 0; i < n; i++) {
        size_t size = items[i].size != 0 ? items[i].size : 1;
        if (!tni_align_up(size, TNI_ALIGN, &size) ||
            !tni_add_size(sum, size, &sum))
            return tni_fail(err, TN_ELIMIT, "the plan is too large to address");
        items[i].size = size;
        order[i] = &items[i];
    }
    tn_status status = TN_OK;
    if (n <= QUADRATIC_MAX) {
        if (n > 1) qsort(order, (size_t)n, sizeof order[0], by_size);
        for (int i = 0; i < n; i++) place_best_fit(order[i], placed, i, total);
    } else {
        qsort(order, (size_t)n, sizeof order[0], by_first);
        status = place_in_time(total, order, n, tmp, err);
    }
    tni_arena_rewind(tmp, mark);
    return status;
}
