/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - every kernel row of this build, for people */
#ifndef TN_SRC_KERNELS_LIST_H
#define TN_SRC_KERNELS_LIST_H

#include <stddef.h>
#include <stdint.h>

typedef struct tni_kernel_row {
    const char *family, *name;
    uint32_t isa; /* tn_isa bundle it needs */
} tni_kernel_row;

const tni_kernel_row *tni_kernel_rows(size_t *n);

#endif
