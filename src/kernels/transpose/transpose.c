/* SPDX-License-Identifier: Apache-2.0 */
/* transpose.c - choose the transpositions */
#include "kernels/transpose/transpose.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    int bytes;
    tni_transpose_fn fn;
} table[] = {
#define TN_TRANSPOSE_KERNEL(isa, bytes, fn) {isa, bytes, fn},
#include "kernels/transpose/transpose.def"
#undef TN_TRANSPOSE_KERNEL
};

void tni_transpose_init(tni_transpose_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((table[i].isa & ~isa) != 0) continue;
        switch (table[i].bytes) {
        case 1: k->b1 = table[i].fn; break;
        case 2: k->b2 = table[i].fn; break;
        case 4: k->b4 = table[i].fn; break;
        default: k->b8 = table[i].fn; break;
        }
    }
}
