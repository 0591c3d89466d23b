/* SPDX-License-Identifier: Apache-2.0 */
/* dft.c - choose a Fourier transform and make its roots of unity */
#include "kernels/dft/dft.h"

#include "tenon/base.h"

#include <math.h>
#include <string.h>

static const tni_dft_row table[] = {
#define TN_DFT_KERNEL(isa, lanes, fn) {isa, lanes, fn},
#include "kernels/dft/dft.def"
#undef TN_DFT_KERNEL
};

void tni_dft_init(tni_dft_kernels *k, uint32_t isa)
{
    k->isa = isa;
}

/* Radices in the order of the passes; 0 when some factor is another one. */
static int factor(uint8_t radix[TNI_DFT_MAX_PASSES], size_t n)
{
    static const uint8_t known[] = {4, 2, 3, 5};
    int count = 0;
    for (size_t i = 0; i < sizeof known; i++)
        for (; n % known[i] == 0 && count < TNI_DFT_MAX_PASSES; n /= known[i])
            radix[count++] = known[i];
    return n == 1 ? count : -1;
}

bool tni_dft_fits(const tni_dft_row *row, size_t n)
{
    uint8_t radix[TNI_DFT_MAX_PASSES];
    return n >= row->lanes * row->lanes && n <= TNI_DFT_MAX_POINTS &&
           n % row->lanes == 0 && factor(radix, n / row->lanes) >= 0;
}

const tni_dft_row *tni_dft_choose(const tni_dft_kernels *k, size_t n)
{
    const tni_dft_row *best = NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((table[i].isa & ~k->isa) == 0 && tni_dft_fits(&table[i], n))
            best = &table[i];
    return best;
}

/* Of the passes less than 2 rows, of the rows 2n, of the unpacking n + 2. */
size_t tni_dft_tables(size_t n)
{
    return 5 * n + 2;
}

static void root(float *re, float *im, size_t k, size_t n)
{
    const double angle =
        -6.283185307179586476925286766559 * ((double)k / (double)n);
    *re = (float)cos(angle);
    *im = (float)sin(angle);
}

void tni_dft_build(tni_dft_plan *plan, const tni_dft_row *row,
                   tni_dft_form form, size_t n, float *tables)
{
    memset(plan, 0, sizeof *plan);
    plan->form = form;
    plan->n = n;
    plan->rows = n / row->lanes;
    plan->n_passes = factor(plan->radix, plan->rows);
    plan->roots = tables;
    size_t len = plan->rows;
    for (int i = 0; i < plan->n_passes; i++) {
        const size_t r = plan->radix[i];
        for (size_t p = 0; p < len / r; p++)
            for (size_t k = 1; k < r; k++, tables += 2)
                root(&tables[0], &tables[1], p * k, len);
        len /= r;
    }
    float *re = tables, *im = tables + n;
    for (size_t i = 0; i < n && row->lanes > 1; i++)
        root(&re[i], &im[i], i / row->lanes * (i % row->lanes), n);
    plan->cross_re = re;
    plan->cross_im = im;
    re = im + n;
    im = re + n / 2 + 1;
    for (size_t k = 0; k <= n / 2; k++) root(&re[k], &im[k], k, 2 * n);
    plan->half_re = re;
    plan->half_im = im;
}
