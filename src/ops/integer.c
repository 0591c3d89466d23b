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

/* Quantised, the scale and the dtype aside. */
static uint8_t quantised(const tni_int_end *e, float f)
{
    f = f > e->lo ? f : e->lo;
    f = f < e->hi ? f : e->hi;
    return (uint8_t)((int)round_even(f) + e->zero);
}

void tni_int_finish(const tni_int_end *e, void *y, size_t at, size_t stride,
                    size_t col, size_t n, const int32_t *acc)
{
    int32_t sums[COLS];
    float f[COLS];
    /* In pieces, so that each step is a loop of its own. */
    for (size_t first = 0; first < n; first += COLS) {
        const size_t m = n - first < COLS ? n - first : COLS;
        const int32_t *v = acc + first;
        const size_t c = col + first, to = at + first * stride;
        if (e->bias != NULL) {
            for (size_t i = 0; i < m; i++)
                sums[i] = (int32_t)((uint32_t)v[i] + (uint32_t)e->bias[c + i]);
            v = sums;
        }
        if (e->scale == NULL) {
            for (size_t i = 0; i < m; i++)
                ((int32_t *)y)[to + i * stride] = v[i];
            continue;
        }
        if (e->step == 0)
            for (size_t i = 0; i < m; i++) f[i] = (float)v[i] * e->scale[0];
        else
            for (size_t i = 0; i < m; i++) f[i] = (float)v[i] * e->scale[c + i];
        if (e->dtype == TN_F32) {
            for (size_t i = 0; i < m; i++) ((float *)y)[to + i * stride] = f[i];
        } else if (e->dtype == TN_F16) {
            for (size_t i = 0; i < m; i++)
                ((uint16_t *)y)[to + i * stride] = tni_f32_to_f16(f[i]);
        } else {
            uint8_t q[COLS];
            for (size_t i = 0; i < m; i++) q[i] = quantised(e, f[i]);
            for (size_t i = 0; i < m; i++)
                ((uint8_t *)y)[to + i * stride] = q[i];
        }
    }
}
