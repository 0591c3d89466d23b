/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm.c - choose a row, and put bfloat16 pairs where floats would be */
#include "kernels/bgemm/bgemm.h"

#include "base/float_bits.h"
#include "kernels/sizes.h"
#include "tenon/base.h"

#include <string.h>

static const tni_gemm_kernels rows[] = {
#define TN_BGEMM_KERNEL(isa, name, mr, nr, kc)                                 \
    {isa,                                                                      \
     #name,                                                                    \
     mr,                                                                       \
     nr,                                                                       \
     3,                                                                        \
     kc,                                                                       \
     tni_bgemm_row__##name,                                                    \
     tni_bgemm_col__##name,                                                    \
     tni_bgemm_wide__##name},
#include "kernels/bgemm/bgemm.def"
#undef TN_BGEMM_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

void tni_bgemm_init(tni_gemm_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
}

bool tni_bgemm_row(tni_gemm_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    return true;
}

/* --- pairs --------------------------------------------------------------- */

/* What is converted in one go, on the stack. */
enum { chunk = 512 };

static float pair(uint16_t lo, uint16_t hi)
{
    return tni_bits_f32((uint32_t)hi << 16 | lo);
}

void tni_bgemm_pair_row(tni_cvt_narrow_fn narrow, float *out, const float *x,
                        size_t n)
{
    uint16_t h[chunk];
    for (size_t i = 0; i < n; i += chunk) {
        const size_t len = min_size(n - i, chunk);
        narrow(x + i, h, len);
        if (len % 2 != 0) h[len] = 0;
        for (size_t j = 0; j < tni_bgemm_pairs(len); j++)
            *out++ = pair(h[2 * j], h[2 * j + 1]);
    }
}

void tni_bgemm_pair_zip(tni_cvt_narrow_fn narrow, float *out, const float *lo,
                        const float *hi, size_t n)
{
    uint16_t l[chunk], h[chunk];
    if (hi == NULL) memset(h, 0, min_size(n, chunk) * sizeof *h);
    for (size_t i = 0; i < n; i += chunk) {
        const size_t len = min_size(n - i, chunk);
        narrow(lo + i, l, len);
        if (hi != NULL) narrow(hi + i, h, len);
        for (size_t j = 0; j < len; j++) out[i + j] = pair(l[j], h[j]);
    }
}

/* --- packing ------------------------------------------------------------- */

void tni_bgemm_pack_b_rows(const tni_gemm_kernels *ker,
                           tni_cvt_narrow_fn narrow, float *out, const float *b,
                           size_t ldb, size_t k, size_t n, size_t k0,
                           size_t count)
{
    const size_t nr = (size_t)ker->nr, height = tni_bgemm_pairs(k);
    for (size_t i = 0; i < count; i += 2) {
        const float *lo = b + i * ldb, *hi = i + 1 < count ? lo + ldb : NULL;
        float *row = out + (k0 + i) / 2 * nr;
        for (size_t j = 0; j < n; j += nr, row += height * nr) {
            const size_t len = min_size(nr, n - j);
            tni_bgemm_pair_zip(narrow, row, lo + j, hi != NULL ? hi + j : NULL,
                               len);
            memset(row + len, 0, (nr - len) * sizeof *row);
        }
    }
}

/* One panel of columns that are stored as rows. */
static void pack_panel_trans(tni_cvt_narrow_fn narrow, float *out,
                             const float *src, size_t ld, size_t k, size_t n,
                             size_t nr)
{
    enum { block = 32 }; /* keeps the written lines in L1 */
    float row[block / 2];
    if (n < nr) memset(out, 0, tni_bgemm_pairs(k) * nr * sizeof *out);
    for (size_t k0 = 0; k0 < k; k0 += block) {
        const size_t len = min_size(block, k - k0);
        for (size_t j = 0; j < n; j++) {
            float *o = out + k0 / 2 * nr + j;
            tni_bgemm_pair_row(narrow, row, src + j * ld + k0, len);
            for (size_t i = 0; i < tni_bgemm_pairs(len); i++)
                o[i * nr] = row[i];
        }
    }
}

void tni_bgemm_pack_b(const tni_gemm_kernels *ker, tni_cvt_narrow_fn narrow,
                      float *out, const float *b, size_t ldb, bool trans,
                      size_t k, size_t n)
{
    const size_t nr = (size_t)ker->nr, panel = tni_bgemm_pairs(k) * nr;
    if (!trans) {
        tni_bgemm_pack_b_rows(ker, narrow, out, b, ldb, k, n, 0, k);
        return;
    }
    for (size_t j = 0; j < n; j += nr, out += panel)
        pack_panel_trans(narrow, out, b + j * ldb, ldb, k, min_size(nr, n - j),
                         nr);
}
