/* SPDX-License-Identifier: Apache-2.0 */
/* quant.c - choose the 8-bit conversions */
#include "kernels/quant/quant.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_quant_kernels k;
} table[] = {
#define TN_QUANT_KERNEL(isa, to_u8, to_s8, from_u8, from_s8, add_u8, add_s8)   \
    {isa, {to_u8, to_s8, from_u8, from_s8, add_u8, add_s8}},
#include "kernels/quant/quant.def"
#undef TN_QUANT_KERNEL
};

void tni_quant_init(tni_quant_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) *k = table[i].k;
}
