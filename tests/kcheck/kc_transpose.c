/* SPDX-License-Identifier: Apache-2.0 */
/* kc_transpose.c - transposition, byte for byte */
#include "kcheck.h"
#include "kernels/transpose/transpose.h"

#include <string.h>

typedef struct row {
    const char *name;
    uint32_t isa;
    size_t bytes;
    tni_transpose_fn fn;
} row;

static const row table[] = {
#define TN_TRANSPOSE_KERNEL(isa, bytes, fn) {#fn, isa, bytes, fn},
#include "kernels/transpose/transpose.def"
#undef TN_TRANSPOSE_KERNEL
};

typedef struct call {
    tni_transpose_fn fn;
    const void *x;
    void *y;
    size_t ldx, ldy, rows, cols;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->x, c->ldx, c->y, c->ldy, c->rows, c->cols);
}

static void check(kc *t, const row *r)
{
    while (kc_case(t, 150)) {
        const size_t rows = kc_sweep(t, "rows", 8, 140);
        const size_t cols = kc_dim(t, "cols", 8, 140);
        const size_t ldx = cols + kc_pick(t, "gapx", 0, 5);
        const size_t ldy = rows + kc_pick(t, "gapy", 0, 5), b = r->bytes;
        const size_t nx = rows > 0 ? (rows - 1) * ldx + cols : 0;
        const size_t ny = cols > 0 ? (cols - 1) * ldy + rows : 0;
        uint8_t *x = kc_in(t, nx * b, b), *y = kc_out(t, ny * b, b);
        uint8_t *want = kc_own(t, ny * b);
        kc_fill_bytes(t, x, nx * b);
        memset(want, 0xff, ny * b); /* gaps stay as they were */
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                memcpy(want + (j * ldy + i) * b, x + (i * ldx + j) * b, b);
        call c = {r->fn, x, y, ldx, ldy, rows, cols};
        if (!kc_call(t, thunk, &c)) return;
        if (!kc_same(t, "y", y, want, ny, b)) return;
    }
}

void kc_family_transpose(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *r = &table[i];
        if (!kc_begin(t, r->name, r->isa)) continue;
        check(t, r);
        if (!kc_bench_begin(t)) continue;
        const size_t m = 196, n = 256, size = m * n * r->bytes;
        call c = {r->fn, kc_own(t, size), kc_own(t, size), n, m, m, n};
        kc_bench(t, "196x256", 0, 2 * (double)size, thunk, &c);
    }
}
