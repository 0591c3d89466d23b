/* SPDX-License-Identifier: Apache-2.0 */
/* norm.c - choose the normalisations */
#include "kernels/norm/norm.h"

#include "tenon/base.h"

static const struct {
    uint32_t isa;
    tni_norm_kernels k;
} table[] = {
#define TN_NORM_KERNEL(isa, layer, rms, moments, affine)                       \
    {isa, {layer, rms, moments, affine}},
#include "kernels/norm/norm.def"
#undef TN_NORM_KERNEL
};

void tni_norm_init(tni_norm_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) *k = table[i].k;
}
