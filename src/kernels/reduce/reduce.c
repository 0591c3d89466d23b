/* SPDX-License-Identifier: Apache-2.0 */
/* reduce.c - choose the reductions */
#include "kernels/reduce/reduce.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_reduce_op op;
    tni_reduce_row_fn row;
    tni_reduce_rows_fn rows;
} table[] = {
#define TN_REDUCE_KERNEL(isa, op, row, rows) {isa, TNI_REDUCE_##op, row, rows},
#include "kernels/reduce/reduce.def"
#undef TN_REDUCE_KERNEL
};

void tni_reduce_init(tni_reduce_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((table[i].isa & ~isa) != 0) continue;
        k->row[table[i].op] = table[i].row;
        k->rows[table[i].op] = table[i].rows;
    }
}
