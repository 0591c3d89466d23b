/* SPDX-License-Identifier: Apache-2.0 */
/* kcheck_rows.h - names of the rows that this architecture cannot compile */
#ifndef TN_TESTS_KCHECK_ROWS_H
#define TN_TESTS_KCHECK_ROWS_H

#include <stddef.h>
#include <stdint.h>

typedef struct kc_foreign_row {
    const char *family, *kernel;
    uint32_t isa;
} kc_foreign_row;

extern const kc_foreign_row kc_foreign[];
extern const size_t kc_n_foreign;

#endif
