/* SPDX-License-Identifier: Apache-2.0 */
/* binary.c - choose the elementwise functions of two arrays */
#include "kernels/binary/binary.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_binary_op op;
    tni_binary_form form;
    tni_binary_f32_fn fn;
} rows[] = {
#define TN_BINARY_KERNEL(isa, op, form, fn)                                    \
    {isa, TNI_BINARY_##op, TNI_BINARY_##form, fn},
#include "kernels/binary/binary.def"
#undef TN_BINARY_KERNEL
};

void tni_binary_init(tni_binary_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].isa & ~isa) == 0)
            k->f32[rows[i].op][rows[i].form] = rows[i].fn;
}
