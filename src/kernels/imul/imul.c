/* SPDX-License-Identifier: Apache-2.0 */
/* imul.c - choose the integer tile, and the plain one */
#include "kernels/imul/imul.h"

#include "tenon/base.h"

#include <string.h>

static const struct {
    uint32_t isa;
    tni_imul_tile_fn tile;
} table[] = {
#define TN_IMUL_KERNEL(isa, fn) {isa, fn},
#include "kernels/imul/imul.def"
#undef TN_IMUL_KERNEL
};

void tni_imul_init(tni_imul_kernels *k, uint32_t isa)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~isa) == 0) k->tile = table[i].tile;
}

void tni_imul_tile__ref(int32_t *acc, const int16_t *a, const int16_t *b,
                        size_t pairs, int rows)
{
    memset(acc, 0, (size_t)rows * TNI_IMUL_COLS * sizeof *acc);
    for (size_t p = 0; p < pairs; p++) {
        for (int r = 0; r < rows; r++) {
            const int32_t x = a[2 * r], y = a[2 * r + 1];
            int32_t *to = acc + r * TNI_IMUL_COLS;
            for (int j = 0; j < TNI_IMUL_COLS; j++) {
                const int32_t v = x * b[2 * j] + y * b[2 * j + 1];
                to[j] = (int32_t)((uint32_t)to[j] + (uint32_t)v);
            }
        }
        a += 2 * TNI_IMUL_ROWS;
        b += 2 * TNI_IMUL_COLS;
    }
}
