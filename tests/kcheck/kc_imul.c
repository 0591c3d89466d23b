/* SPDX-License-Identifier: Apache-2.0 */
/* kc_imul.c - integer tiles, bit for bit */
#include "kcheck.h"
#include "kernels/imul/imul.h"

typedef struct row {
    const char *name;
    uint32_t isa;
    tni_imul_tile_fn fn;
} row;

static const row table[] = {
#define TN_IMUL_KERNEL(isa, fn) {#fn, isa, fn},
#include "kernels/imul/imul.def"
#undef TN_IMUL_KERNEL
};

typedef struct call {
    tni_imul_tile_fn fn;
    int32_t *acc;
    const int16_t *a, *b;
    size_t pairs;
    int rows;
} call;

static void thunk(void *p)
{
    const call *c = p;
    c->fn(c->acc, c->a, c->b, c->pairs, c->rows);
}

/* Differences of bytes, the extremes among them. */
static void fill(kc *t, int16_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t r = kc_rand(t);
        v[i] = (int16_t)((r & 7) == 0 ? ((r & 8) != 0 ? 255 : -255)
                                      : (int)(r >> 8 & 511) - 256);
    }
}

static void define(int32_t *acc, const int16_t *a, const int16_t *b,
                   size_t pairs, int rows)
{
    for (int r = 0; r < rows; r++) {
        for (size_t j = 0; j < TNI_IMUL_COLS; j++) {
            int64_t sum = 0;
            for (size_t p = 0; p < pairs; p++)
                for (size_t h = 0; h < 2; h++)
                    sum += a[(p * TNI_IMUL_ROWS + (size_t)r) * 2 + h] *
                           b[(p * TNI_IMUL_COLS + j) * 2 + h];
            acc[(size_t)r * TNI_IMUL_COLS + j] = (int32_t)sum;
        }
    }
}

void kc_family_imul(kc *t)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const row *q = &table[i];
        if (!kc_begin(t, q->name, q->isa)) continue;
        while (kc_case(t, 60)) {
            const size_t pairs = kc_sweep(t, "pairs", 4, 90);
            const int rows = (int)kc_pick(t, "rows", 1, TNI_IMUL_ROWS);
            const size_t n = (size_t)rows * TNI_IMUL_COLS;
            int16_t *a = kc_in(t, pairs * TNI_IMUL_ROWS * 4, 2);
            int16_t *b = kc_in(t, pairs * TNI_IMUL_COLS * 4, 2);
            int32_t *acc = kc_out(t, n * 4, 4), *want = kc_own(t, n * 4);
            fill(t, a, pairs * TNI_IMUL_ROWS * 2);
            fill(t, b, pairs * TNI_IMUL_COLS * 2);
            call c = {q->fn, acc, a, b, pairs, rows};
            if (!kc_call(t, thunk, &c)) break;
            define(want, a, b, pairs, rows);
            if (!kc_same(t, "acc", acc, want, n, 4)) break;
        }
        if (!kc_bench_begin(t)) continue;
        const size_t pairs = 256;
        call c = {q->fn,
                  kc_own(t, 4 * TNI_IMUL_ROWS * TNI_IMUL_COLS),
                  kc_own(t, pairs * TNI_IMUL_ROWS * 4),
                  kc_own(t, pairs * TNI_IMUL_COLS * 4),
                  pairs,
                  TNI_IMUL_ROWS};
        kc_bench(t, "k=512", 4.0 * 256 * TNI_IMUL_ROWS * TNI_IMUL_COLS, 0,
                 thunk, &c);
    }
}
