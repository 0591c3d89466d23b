/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm.h - packed single precision matrix multiplication with an epilogue
 *
 * C[m, n] = act(alpha * sum_k A[m, k] * B[k, n] + bias + beta * add)
 *
 * Shapes:  any m, n, k >= 0; k = 0 gives sums of zero.
 * Layout:  C rows are contiguous. A and B are rows or transposed, with leading
 *          dimensions; B (or A) may be packed ahead.
 * Numeric: every element is one chain of fused multiply-adds in the order of
 *          k, starting at zero. So all SIMD rows give the same bits, at any
 *          position, for any blocking and any number of workers. The
 *          reference rounds the product and the sum separately. Error of
 *          either is at most (k + 1) u sum |a b|.
 * Aliases: C overlaps neither A nor B; `add` may be C itself where k is at
 *          most the kernels' kc, beyond it C holds sums of the first terms
 * Reads:   no more than the matrices given.
 * Threads: any; scratch is exclusive to the call.
 * Source:  Goto and van de Geijn, "Anatomy of high-performance matrix
 *          multiplication", 2008; the micro-kernel is our own.
 */
#ifndef TN_SRC_KERNELS_GEMM_GEMM_H
#define TN_SRC_KERNELS_GEMM_GEMM_H

#include "base/par.h"
#include "kernels/rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y[i] = f(x[i]); y may be x. Rows of the unary family have this type. */
typedef void (*tni_act_fn)(const float *x, float *y, size_t n,
                           const float *params);

/* What happens to a sum before it is stored, in this order: times alpha, plus
 * bias, plus beta * add, clamped to [lo, hi] (NaN stays NaN), act. */
typedef struct tni_epilogue {
    float alpha, beta;     /* 1 and 1 when unused */
    const float *bias_row; /* one per row of C, or NULL */
    const float *bias_col; /* one per column of C, or NULL */
    const float *add;      /* a matrix like C, or NULL */
    size_t add_ld;         /* its leading dimension; 0 repeats one row */
    bool clip;             /* lo and hi count */
    float lo, hi;
    tni_act_fn act; /* NULL for none */
    const float *act_params;
} tni_epilogue;

#define TNI_EPILOGUE_NONE                                                      \
    {                                                                          \
        1.0f, 1.0f, NULL, NULL, NULL, 0, false, 0.0f, 0.0f, NULL, NULL         \
    }

enum {
    TNI_TILE_LOAD = 1 << 0, /* continue the sums that C holds */
    TNI_TILE_ALPHA = 1 << 1,
    TNI_TILE_BIAS_ROW = 1 << 2,
    TNI_TILE_BIAS_COL = 1 << 3,
    TNI_TILE_ADD = 1 << 4,
    TNI_TILE_BETA = 1 << 5,
    TNI_TILE_CLIP = 1 << 6
};

/* One micro-kernel call: mr x nr elements of C, k terms each. */
typedef struct tni_gemm_tile {
    const float *a; /* element (r, k) at a[r * a_rs + k * a_ks] */
    size_t a_rs, a_ks;
    const float *b; /* element (k, j) at b[k * b_ks + j], row of full width */
    size_t b_ks, b_ps; /* b_ps: from one panel to the next (wide only) */
    /* What is wanted soon, to be prefetched: a line for every fourth term,
     * soon_step floats (0: one line) after the last. May point anywhere. */
    const float *soon;
    size_t soon_step;
    float *c;
    size_t c_rs;
    size_t k;
    int mr, nr; /* 1 <= mr <= tile rows, 1 <= nr <= tile columns */
    int flags;  /* TNI_TILE_... */
    float alpha, beta, lo, hi;
    const float *bias_row, *bias_col, *add; /* of the tile's first element */
    size_t add_rs;
} tni_gemm_tile;

typedef void (*tni_gemm_tile_fn)(const tni_gemm_tile *t);

/* A set of micro-kernels of one instruction set. `row` wants a_ks = 1, `col`
 * wants a_rs = 1. `wide` takes up to wide_rows rows with a_ks = 1 and nr up to
 * 4 panels for one row, 2 panels for more. */
typedef struct tni_gemm_kernels {
    uint32_t isa;
    const char *name;
    int mr, nr;    /* tile */
    int wide_rows; /* 0: none */
    size_t kc;     /* terms that are summed before C is put down */
    tni_gemm_tile_fn row, col, wide;
} tni_gemm_kernels;

#define TN_GEMM_KERNEL(isa, name, mr, nr, kc)                                  \
    void tni_gemm_f32_row__##name(const tni_gemm_tile *t);                     \
    void tni_gemm_f32_col__##name(const tni_gemm_tile *t);                     \
    void tni_gemm_f32_wide__##name(const tni_gemm_tile *t);
#include "kernels/gemm/gemm.def"
#undef TN_GEMM_KERNEL

void tni_gemm_init(tni_gemm_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_gemm_row(tni_gemm_kernels *k, int i);

/* A multiplication. Exactly one of b and b_packed is set, and one of a and
 * a_packed; not both packed. */
typedef struct tni_gemm {
    size_t m, n, k;
    const float *a, *b;
    size_t lda, ldb;
    bool a_trans, b_trans; /* stored as [k, m], as [n, k] */
    const float *a_packed, *b_packed;
    float *c;
    size_t ldc;
} tni_gemm;

/* Floats of a packed B[k, n] or A[m, k]. False on overflow. */
bool tni_gemm_packed_b_len(const tni_gemm_kernels *ker, size_t k, size_t n,
                           size_t *len);
bool tni_gemm_packed_a_len(const tni_gemm_kernels *ker, size_t m, size_t k,
                           size_t *len);

/* Packs B[k, n] (trans: stored as [n, k]) into panels of nr columns, padded
 * with zeros; A[m, k] (trans: stored as [k, m]) into panels of mr rows. */
void tni_gemm_pack_b(const tni_gemm_kernels *ker, float *out, const float *b,
                     size_t ldb, bool trans, size_t k, size_t n);
/* Rows [k0, k0 + count) of the same B, not transposed; b is at its row k0. */
void tni_gemm_pack_b_rows(const tni_gemm_kernels *ker, float *out,
                          const float *b, size_t ldb, size_t k, size_t n,
                          size_t k0, size_t count);
void tni_gemm_pack_a(const tni_gemm_kernels *ker, float *out, const float *a,
                     size_t lda, bool trans, size_t m, size_t k);

/* How the work of one multiplication is cut; from its shape alone. */
typedef struct tni_gemm_plan {
    size_t mc, nc; /* rows and columns of a task */
    size_t m_tasks, n_tasks;
    bool pack_a, pack_b; /* into scratch */
    bool copy_a;         /* A's rows, further apart, into scratch */
    size_t scratch_len;  /* floats per worker */
} tni_gemm_plan;

/* Reads m, n, k, the transpositions and which operand is packed (any non-NULL
 * pointer will do); data pointers are not looked at. */
void tni_gemm_plan_init(tni_gemm_plan *p, const tni_gemm_kernels *ker,
                        const tni_gemm *g);

static inline size_t tni_gemm_tasks(const tni_gemm_plan *p)
{
    return p->m_tasks * p->n_tasks;
}

/* Does one task; scratch: scratch_len floats of the worker, 64-byte aligned. */
void tni_gemm_task(const tni_gemm_kernels *ker, const tni_gemm_plan *p,
                   const tni_gemm *g, const tni_epilogue *epi, size_t task,
                   float *scratch);

/* All tasks; scratch: tni_par_workers(par) * scratch_len floats. */
void tni_gemm_run(const tni_gemm_kernels *ker, const tni_gemm_plan *p,
                  const tni_gemm *g, const tni_epilogue *epi, float *scratch,
                  const tni_par *par);

#endif
