/* SPDX-License-Identifier: Apache-2.0 */
/* memplan.h - place the tensors of a plan in one block */
#ifndef TN_SRC_EXEC_MEMPLAN_H
#define TN_SRC_EXEC_MEMPLAN_H

#include "base/alloc.h"
#include "base/err.h"

/* A piece of memory needed from step `first` to step `last`, inclusive. */
typedef struct tni_storage {
    size_t size;
    int first, last;
    size_t offset; /* result, a multiple of TNI_ALIGN */
} tni_storage;

/*
 * Gives every storage an offset such that no two that overlap in time overlap
 * in space; *total is the block's size. `tmp` is used and rewound.
 */
tn_status tni_memplan(size_t *total, tni_storage *items, int n, tni_arena *tmp,
                      tn_err *err);

#endif
