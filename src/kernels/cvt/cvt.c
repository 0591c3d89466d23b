/* SPDX-License-Identifier: Apache-2.0 */
/* cvt.c - choose the conversions of 16-bit floats */
#include "kernels/cvt/cvt.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_cvt_kernels k;
} table[] = {
#define TN_CVT_KERNEL(isa, from_f16, from_bf16, to_f16, to_bf16)               \
    {isa, {from_f16, from_bf16, to_f16, to_bf16}},
#include "kernels/cvt/cvt.def"
#undef TN_CVT_KERNEL
};

void tni_cvt_init(tni_cvt_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) *k = table[i].k;
}
