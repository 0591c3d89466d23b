/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwconv_tmpl.h - the f32 depthwise kernels, once for every vector width
 *
 * Included inside a target region after gemm_vec_<isa>.h, with DW_NAME(part)
 * and v_put_n(y, x, n) defined, which stores the first n < VW elements. `nr`,
 * `nv` and `side` are compile-time constants in every instance.
 */

/* What every element of a tile ends with. */
typedef struct ending {
    V bias, lo, hi;
    bool clip;
} ending;

/* One vector of results, of which n exist; `room` elements of y may be
 * written, as rows that follow write theirs later. */
TN_INLINE void put(const ending *e, float *y, V x, size_t n, size_t room)
{
    x = v_add(x, e->bias);
    if (e->clip) x = v_clip(x, e->lo, e->hi);
    if (room >= VW)
        v_storeu(y, x);
    else
        v_put_n(y, x, n);
}

/* The rows after these nr are fetched while they are worked on: the lines that
 * `count` columns of each make up. */
TN_INLINE void warm(const tni_dwconv_tile *t, size_t row, size_t col,
                    size_t count, const int nr)
{
    const uintptr_t y = (uintptr_t)(t->y + (row + (size_t)nr) * t->cols);
    const size_t n = (size_t)nr * count * sizeof(float);
    const uintptr_t at = y + (size_t)nr * col * sizeof(float);
    for (size_t i = 0; i < n; i += 64)
        __builtin_prefetch((const void *)(at + i), 1);
}

/* --- sums of up to four rows of one or two vectors ----------------------- */

#define EACH_4(X) X(0) X(1) X(2) X(3)
#define SUMS(r)   V c##r##_0 = v_zero(), c##r##_1 = v_zero();
#define PUT(r)                                                                 \
    if ((r) < nr) {                                                            \
        put(e, y + (r)*n, c##r##_0, n, room - (r)*n);                          \
        if (nv > 1) put(e, y + (r)*n + step, c##r##_1, n, VW);                 \
    }
#define UNUSED(r) (void)c##r##_0, (void)c##r##_1;

/* Any kernel, tap by tap: nr rows of nv vectors that begin `step` columns
 * apart. */
#define TAP(r)                                                                 \
    if ((r) < nr) {                                                            \
        v_acc_at(c##r##_0, w, x + (r)*rs);                                     \
        if (nv > 1) v_acc_at(c##r##_1, w, x + (r)*rs + step);                  \
    }

TN_INLINE void any_block(const tni_dwconv_tile *t, const ending *e, size_t row,
                         size_t col, size_t step, const int nr, const int nv)
{
    const size_t rs = t->x_rs, n = t->cols;
    const size_t room = (t->rows - row) * n - col;
    const float *from = t->x + row * rs + col;
    float *y = t->y + row * n + col;
    warm(t, row, col, (size_t)nv * VW, nr);
    EACH_4(SUMS)
    for (size_t k = 0; k < t->k; k++) {
        const float *x = from + t->off[k];
        const V w = v_dup(t->w + k);
        EACH_4(TAP)
    }
    EACH_4(PUT)
    EACH_4(UNUSED)
    (void)step;
}

/*
 * Square kernels whose rows and columns lie next to each other: every vector
 * of the input serves all rows of the output that look at it, as loads that
 * cross a line cost more than sums. Row i of the input meets row i - r of the
 * kernel for row r of the output.
 */
#define USE(r, i, b)                                                           \
    if ((r) < nr && (i) >= (r) && (i) < (r) + side) {                          \
        const V w = v_dup(t->w + ((i) - (r)) * side + (b));                    \
        v_acc(c##r##_0, w, x0);                                                \
        if (nv > 1) v_acc(c##r##_1, w, x1);                                    \
    }
#define COLUMN(i, b)                                                           \
    if ((b) < side) {                                                          \
        const V x0 = v_loadu(from + (b));                                      \
        const V x1 = v_loadu(from + (b) + (nv > 1 ? step : 0));                \
        USE(0, i, b) USE(1, i, b) USE(2, i, b) USE(3, i, b)(void) x1;          \
    }
#define ROW_IN(i)                                                              \
    if ((i) < nr + side - 1) {                                                 \
        COLUMN(i, 0)                                                           \
        COLUMN(i, 1) COLUMN(i, 2) COLUMN(i, 3) COLUMN(i, 4) from += rs;        \
    }
#define EACH_8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

TN_INLINE void near_block(const tni_dwconv_tile *t, const ending *e, size_t row,
                          size_t col, size_t step, const int nr, const int nv,
                          const int side)
{
    const size_t rs = t->x_rs, n = t->cols;
    const size_t room = (t->rows - row) * n - col;
    const float *from = t->x + row * rs + col;
    float *y = t->y + row * n + col;
    warm(t, row, col, (size_t)nv * VW, nr);
    EACH_4(SUMS)
    EACH_8(ROW_IN)
    EACH_4(PUT)
    EACH_4(UNUSED)
    (void)step;
}

/* side 0: any kernel. */
TN_INLINE void block(const tni_dwconv_tile *t, const ending *e, size_t row,
                     size_t col, size_t step, const int nr, const int nv,
                     const int side)
{
    if (side == 0)
        any_block(t, e, row, col, step, nr, nv);
    else
        near_block(t, e, row, col, step, nr, nv, side);
}

/* The last vectors of a row overlap those before them, where there are any. */
TN_INLINE void some_rows(const tni_dwconv_tile *t, const ending *e, size_t row,
                         const int nr, const int side)
{
    const size_t n = t->cols;
    size_t j = 0;
    for (; j + 2 * VW <= n; j += 2 * VW) block(t, e, row, j, VW, nr, 2, side);
    if (n > j + VW)
        block(t, e, row, n >= 2 * VW ? n - 2 * VW : 0,
              n >= 2 * VW ? VW : n - VW, nr, 2, side);
    else if (n > j)
        block(t, e, row, n >= VW ? n - VW : 0, 0, nr, 1, side);
}

/* --- 3 by 3: all weights are in registers -------------------------------- */

#define USE_3(r, i, a, b)                                                      \
    if ((r) < nr && (i) == (r) + (a)) v_acc(c##r, w##a##b, x);
#define ROW_OF_3(r, i, b) USE_3(r, i, 0, b) USE_3(r, i, 1, b) USE_3(r, i, 2, b)
#define COLUMN_3(i, b)                                                         \
    {                                                                          \
        const V x = v_loadu(from + (b));                                       \
        ROW_OF_3(0, i, b)                                                      \
        ROW_OF_3(1, i, b) ROW_OF_3(2, i, b) ROW_OF_3(3, i, b)                  \
    }
#define ROW_IN_3(i)                                                            \
    if ((i) < nr + 2) {                                                        \
        COLUMN_3(i, 0) COLUMN_3(i, 1) COLUMN_3(i, 2) from += rs;               \
    }
#define PUT_3(r)                                                               \
    if ((r) < nr) put(e, y + (r)*n, c##r, n, room - (r)*n);

TN_INLINE void some_rows_3(const tni_dwconv_tile *t, const ending *e,
                           size_t row, const int nr)
{
    const size_t rs = t->x_rs, n = t->cols;
    const float *w = t->w;
    const V w00 = v_dup(w), w01 = v_dup(w + 1), w02 = v_dup(w + 2);
    const V w10 = v_dup(w + 3), w11 = v_dup(w + 4), w12 = v_dup(w + 5);
    const V w20 = v_dup(w + 6), w21 = v_dup(w + 7), w22 = v_dup(w + 8);
    for (size_t at = 0; at < n; at += VW) {
        const size_t j = at + VW <= n || n < VW ? at : n - VW;
        const size_t room = (t->rows - row) * n - j;
        const float *from = t->x + row * rs + j;
        float *y = t->y + row * n + j;
        warm(t, row, j, VW, nr);
        V c0 = v_zero(), c1 = v_zero(), c2 = v_zero(), c3 = v_zero();
        ROW_IN_3(0)
        ROW_IN_3(1)
        ROW_IN_3(2)
        ROW_IN_3(3)
        ROW_IN_3(4) ROW_IN_3(5) EACH_4(PUT_3)(void) c1, (void)c2, (void)c3;
    }
}

/* --- tiles --------------------------------------------------------------- */

/* Rows four at a time, the last groups alike. */
#define TILE(name, rows_of)                                                    \
    static TN_NOINLINE void name(const tni_dwconv_tile *t)                     \
    {                                                                          \
        const ending e = {v_dup(&t->bias), v_dup(&t->lo), v_dup(&t->hi),       \
                          t->clip};                                            \
        const size_t blocks = t->rows / 4 + (t->rows % 4 != 0);                \
        for (size_t i = 0, row = 0, end; i < blocks; i++, row = end) {         \
            end = t->rows * (i + 1) / blocks;                                  \
            switch (end - row) {                                               \
            case 1: rows_of(1); break;                                         \
            case 2: rows_of(2); break;                                         \
            case 3: rows_of(3); break;                                         \
            default: rows_of(4); break;                                        \
            }                                                                  \
        }                                                                      \
    }
#define ROWS_ANY(nr) some_rows(t, &e, row, nr, 0)
#define ROWS_3X3(nr) some_rows_3(t, &e, row, nr)
#define ROWS_5X5(nr) some_rows(t, &e, row, nr, 5)
TILE(tile_any, ROWS_ANY)
TILE(tile_3x3, ROWS_3X3)
TILE(tile_5x5, ROWS_5X5)

void DW_NAME(tile)(const tni_dwconv_tile *t)
{
    if (t->near_side == 3)
        tile_3x3(t);
    else if (t->near_side == 5)
        tile_5x5(t);
    else
        tile_any(t);
}
