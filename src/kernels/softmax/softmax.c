/* SPDX-License-Identifier: Apache-2.0 */
/* softmax.c - choose the softmax functions */
#include "kernels/softmax/softmax.h"

#include "tenon/base.h"

enum { rows, cols };

static const struct {
    uint32_t isa;
    int form;
    tni_softmax_op op;
    tni_softmax_fn fn;
} table[] = {
#define TN_SOFTMAX_KERNEL(isa, form, op, fn) {isa, form, op, fn},
#include "kernels/softmax/softmax.def"
#undef TN_SOFTMAX_KERNEL
};

void tni_softmax_init(tni_softmax_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((table[i].isa & ~isa) != 0) continue;
        if (table[i].form == rows)
            k->rows[table[i].op] = table[i].fn;
        else
            k->cols[table[i].op] = table[i].fn;
    }
}
