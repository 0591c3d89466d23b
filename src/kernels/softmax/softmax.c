/* SPDX-License-Identifier: Apache-2.0 */
/* softmax.c - choose the softmax functions */
#include "kernels/softmax/softmax.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_softmax_op op;
    tni_softmax_fn rows;
    tni_softmax_cols_fn cols;
} table[] = {
#define TN_SOFTMAX_KERNEL(isa, op, rows, cols) {isa, op, rows, cols},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
};

void tni_softmax_init(tni_softmax_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((table[i].isa & ~isa) != 0) continue;
        k->rows[table[i].op] = table[i].rows;
        k->cols[table[i].op] = table[i].cols;
    }
}
