/* SPDX-License-Identifier: Apache-2.0 */
/* winograd_ref.c - Winograd's transforms in plain C, by their matrices */
#include "kernels/winograd/winograd.h"

enum { LANES = 4, MAX_SIDE = 6 };

#define A 0.70710678118654752f /* a^2 = 1/2 */
#define B 1.41421356237309505f /* b^2 = 2 */

static const float input_2[4 * 4] = {1,      0,  -1, 0, /**/ 0, 1,  1, 0,
                                     /**/ 0, -1, 1,  0, /**/ 0, -1, 0, 1};
static const float output_2[2 * 4] = {1, 1, 1, 0, /**/ 0, 1, -1, 1};

static const float input_4[6 * 6] = {
    1, 0,         -2.5f, 0,     1, 0, /* 0 */
    0, -2 * A,    -2,    A,     1, 0, /* a */
    0, 2 * A,     -2,    -A,    1, 0, /* -a */
    0, -0.5f * B, -0.5f, B,     1, 0, /* b */
    0, 0.5f * B,  -0.5f, -B,    1, 0, /* -b */
    0, 1,         0,     -2.5f, 0, 1, /* infinity */
};
static const float output_4[4 * 6] = {
    1, 1,        1,         1,     1,      0, /**/
    0, A,        -A,        B,     -B,     0, /**/
    0, 0.5f,     0.5f,      2,     2,      0, /**/
    0, 0.5f * A, -0.5f * A, 2 * B, -2 * B, 1,
};

/* out = matrix * in * matrix^T for one lane; in is side by side. */
static void apply(float *out, const float *in, const float *matrix, size_t rows,
                  size_t side)
{
    float half[MAX_SIDE * MAX_SIDE] = {0};
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < side; j++)
            for (size_t k = 0; k < side; k++)
                half[i * side + j] += matrix[i * side + k] * in[k * side + j];
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < rows; j++) {
            float sum = 0;
            for (size_t k = 0; k < side; k++)
                sum += half[i * side + k] * matrix[j * side + k];
            out[i * rows + j] = sum;
        }
    }
}

static void input(const tni_winograd_tiles *t, const float *matrix, size_t m)
{
    const size_t side = m + 2;
    float in[MAX_SIDE * MAX_SIDE], out[MAX_SIDE * MAX_SIDE];
    for (size_t i = 0; i < t->n * LANES; i++) {
        const size_t tile = i / LANES, lane = i % LANES;
        for (size_t q = 0; q < side * side; q++)
            in[q] = t->patch[q / side * t->row_step + tile * t->col_step +
                             q % side * LANES + lane];
        apply(out, in, matrix, side, side);
        for (size_t q = 0; q < side * side; q++)
            t->terms[q * t->term_step + tile * t->tile_step + lane] = out[q];
    }
}

static void output(const tni_winograd_tiles *t, const float *matrix, size_t m)
{
    const size_t side = m + 2;
    float in[MAX_SIDE * MAX_SIDE], out[MAX_SIDE * MAX_SIDE];
    for (size_t i = 0; i < t->n * LANES; i++) {
        const size_t tile = i / LANES, lane = i % LANES;
        for (size_t q = 0; q < side * side; q++)
            in[q] = t->terms[q * t->term_step + tile * t->tile_step + lane];
        apply(out, in, matrix, m, side);
        for (size_t q = 0; q < m * m; q++)
            t->patch[q / m * t->row_step + tile * t->col_step + q % m * LANES +
                     lane] = out[q] + t->bias[lane];
    }
}

void tni_winograd_f32_load__ref(float *patch, const float *x, size_t x_cs,
                                size_t channels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < LANES; c++)
            patch[i * LANES + c] = c < channels ? x[c * x_cs + i] : 0.0f;
}

void tni_winograd_f32_store__ref(const tni_winograd_row *r)
{
    for (size_t c = 0; c < r->channels && c < LANES; c++) {
        for (size_t i = 0; i < r->n; i++) {
            float v = r->patch[i * LANES + c];
            if (r->add != NULL) v += r->add[c * r->cs + i];
            if (r->clip && v < r->lo) v = r->lo;
            if (r->clip && v > r->hi) v = r->hi;
            r->y[c * r->cs + i] = v;
        }
    }
}

void tni_winograd_f32_input1__ref(const tni_winograd_tiles *t)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t c = 0; c < LANES; c++)
            t->terms[i * t->tile_step + c] = t->patch[i * t->col_step + c];
}

void tni_winograd_f32_output1__ref(const tni_winograd_tiles *t)
{
    for (size_t i = 0; i < t->n; i++)
        for (size_t c = 0; c < LANES; c++)
            t->patch[i * t->col_step + c] =
                t->terms[i * t->tile_step + c] + t->bias[c];
}

void tni_winograd_f32_input2__ref(const tni_winograd_tiles *t)
{
    input(t, input_2, 2);
}

void tni_winograd_f32_input4__ref(const tni_winograd_tiles *t)
{
    input(t, input_4, 4);
}

void tni_winograd_f32_output2__ref(const tni_winograd_tiles *t)
{
    output(t, output_2, 2);
}

void tni_winograd_f32_output4__ref(const tni_winograd_tiles *t)
{
    output(t, output_4, 4);
}
