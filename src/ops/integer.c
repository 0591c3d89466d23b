/* SPDX-License-Identifier: Apache-2.0 */
/*
 * integer.c - the multiplication and the endings of integer operators
 *
 * B is widened to 16-bit differences once and kept in panels of 64 columns; a
 * tile of 4 rows by 64 columns is summed in 32 bits in one pass over k, see
 * kernels/imul/imul.h.
 */
#include "ops/integer.h"

#include "base/checked.h"
#include "tensor/half.h"

#include <string.h>

enum { ROWS = TNI_IMUL_ROWS, COLS = TNI_IMUL_COLS };

static size_t n_panels(size_t n)
{
    return (n + COLS - 1) / COLS;
}

static size_t n_pairs(size_t k)
{
    return k / 2 + k % 2;
}

bool tni_imul_packed_len(size_t *len, size_t k, size_t n)
{
    return tni_mul_size(n_panels(n) * COLS * 2, n_pairs(k), len);
}

void tni_imul_pack(int16_t *out, const void *b, bool is_signed, size_t ld,
                   bool trans, size_t k, size_t n, const int32_t *zero,
                   size_t step)
{
    const uint8_t *u = b;
    const int8_t *s = b;
    for (size_t j0 = 0; j0 < n; j0 += COLS) {
        const size_t w = n - j0 < COLS ? n - j0 : COLS;
        for (size_t p = 0; p < 2 * n_pairs(k); p++) {
            int16_t *to = out + p / 2 * 2 * COLS + p % 2;
            for (size_t j = 0; j < COLS; j++) {
                const size_t col = j0 + j;
                const size_t at = trans ? col * ld + p : p * ld + col;
                to[2 * j] = 0;
                if (j >= w || p >= k) continue;
                const int32_t v = is_signed ? s[at] : u[at];
                to[2 * j] = (int16_t)(v - zero[col * step]);
            }
        }
        out += 2 * n_pairs(k) * COLS;
    }
}

size_t tni_imul_scratch(size_t k)
{
    return n_pairs(k) * 2 * ROWS + TNI_ALIGN;
}

typedef struct job {
    const tni_imul *g;
    int16_t *scratch;
    size_t per_row; /* tasks of one block of rows */
} job;

static void run_tasks(void *ctx, size_t begin, size_t end, int worker)
{
    const job *q = ctx;
    const tni_imul *g = q->g;
    int16_t *a = q->scratch + (size_t)worker * tni_imul_scratch(g->k);
    int32_t acc[ROWS][COLS];
    const size_t panels = n_panels(g->n);
    for (size_t t = begin; t < end; t++) {
        const size_t row = t / q->per_row * ROWS;
        const size_t rows = g->m - row < ROWS ? g->m - row : ROWS;
        const size_t first = q->per_row == 1 ? 0 : t % q->per_row;
        const size_t last = q->per_row == 1 ? panels : first + 1;
        g->load(g->ctx, row, rows, a);
        for (size_t p = first; p < last; p++) {
            const int16_t *b = g->b + p * n_pairs(g->k) * 2 * COLS;
            const size_t col = p * COLS;
            const size_t n = g->n - col < COLS ? g->n - col : COLS;
            g->tile(acc[0], a, b, n_pairs(g->k), (int)rows);
            for (size_t r = 0; r < rows; r++)
                g->store(g->ctx, row + r, col, n, acc[r]);
        }
    }
}

void tni_imul_run(const tni_imul *g, int16_t *scratch, const tni_par *par)
{
    const size_t blocks = (g->m + ROWS - 1) / ROWS;
    /* Few rows: cut the columns too. From the shape alone. */
    job q = {g, scratch, blocks >= 32 ? 1 : n_panels(g->n)};
    if (g->n == 0) return;
    tni_par_for(par, blocks * q.per_row, run_tasks, &q);
}

/* --- endings ------------------------------------------------------------ */

/* Half to even, for magnitudes below 2^22: what is added has no fraction
 * bits left. */
static float round_even(float v)
{
    return v + 12582912.0f - 12582912.0f;
}

void tni_int_finish(const tni_int_end *e, void *y, size_t at, size_t stride,
                    size_t col, size_t n, const int32_t *acc)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t add = e->bias != NULL ? (uint32_t)e->bias[col + i] : 0u;
        const int32_t v = (int32_t)((uint32_t)acc[i] + add);
        const size_t to = at + i * stride;
        if (e->scale == NULL) {
            ((int32_t *)y)[to] = v;
            continue;
        }
        float f = (float)v * e->scale[(col + i) * e->step];
        if (e->dtype == TN_F32) {
            ((float *)y)[to] = f;
            continue;
        }
        if (e->dtype == TN_F16) {
            ((uint16_t *)y)[to] = tni_f32_to_f16(f);
            continue;
        }
        f = f > e->lo ? f : e->lo;
        f = f < e->hi ? f : e->hi;
        const int q = (int)round_even(f) + e->zero;
        ((uint8_t *)y)[to] = (uint8_t)q;
    }
}
