/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv.h - single precision convolution of 1 to 3 dimensions, channels first
 *
 * y[n, o, p] = act(sum_k w[o, k] * x[n, k at p] + bias[o] + add[n, o, p])
 *
 * Shapes:  x[n, g*ic, in], w[g*oc, ic, kernel], y[n, g*oc, out]; any group,
 *          stride, dilation and padding. Lower ranks have leading ones.
 * Layout:  dense, channels first; weights are packed ahead.
 * Method:  CHANNELS: a tile is mr pixels by nr output channels. Pixels are
 *          read in place through two tables of offsets (XNNPACK's indirection
 *          without its pointers), so nothing is unfolded; only an image with
 *          padding or strides is copied once, its rows and columns sorted by
 *          their remainder modulo the stride, so that neighbours in the
 *          output are neighbours there. Even on 7x7 maps no lane is idle.
 *          PIXELS: a tile is mr output channels by nr pixels, unfolded panel
 *          by panel into scratch. For few output channels, and for kernels of
 *          one element, whose terms are all on different pages.
 * Numeric: one chain of fused multiply-adds per element in the order of w's
 *          row, padding included as zeros; the same bits for every method,
 *          SIMD row and number of workers. |err| <= (k + 2) u sum |w x|.
 * Aliases: y overlaps neither x nor w nor add.
 * Reads:   no more than the tensors given.
 * Threads: any; scratch is exclusive to the call.
 */
#ifndef TN_SRC_KERNELS_CONV_CONV_H
#define TN_SRC_KERNELS_CONV_CONV_H

#include "base/par.h"
#include "kernels/gemm/gemm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tni_conv_shape {
    size_t n, groups, ic, oc; /* ic and oc of one group */
    size_t in[3], out[3], kernel[3], stride[3], dilation[3];
    size_t pad_lo[3]; /* upper padding follows from `out` */
} tni_conv_shape;

/* How many terms ahead the tile prefetches. */
enum { TNI_CONV_AHEAD = 16 };

/* One call of the CHANNELS micro-kernel: mr pixels, nr channels. */
typedef struct tni_conv_tile {
    const float *x;
    /* k offsets from a pixel's first element, and TNI_CONV_AHEAD more */
    const uint32_t *off;
    const uint32_t *pix; /* mr offsets of pixels from x */
    const float *w;      /* k rows of the panel's width */
    /* Weights that are wanted soon, to be prefetched: a line for every fourth
     * term. May point anywhere. */
    const float *soon;
    size_t k;
    float *y; /* element (pixel r, channel j) at y[j * y_cs + r] */
    size_t y_cs;
    int mr, nr;
    const float *bias; /* nr values or NULL */
    bool clip;
    float lo, hi;
    /* Between blocks of terms the sums of pixel r are at sums[r * panel], full
     * width: `resume` begins with them, `pause` puts them there instead of
     * finishing. */
    float *sums;
    bool resume, pause;
} tni_conv_tile;

typedef void (*tni_conv_tile_fn)(const tni_conv_tile *t);

/* out[k * nr + j] = x[pix[j] + off[k]] for j < n, zero beyond. */
typedef void (*tni_conv_unfold_fn)(float *out, const float *x,
                                   const uint32_t *off, size_t k,
                                   const uint32_t *pix, size_t n);

/* y[i] = clip(y[i] + add[i]); add may be NULL, clip is optional. */
typedef void (*tni_conv_finish_fn)(float *y, const float *add, size_t n,
                                   bool clip, float lo, float hi);

/* Of `rows` rows: even[i] = x[2 i], odd[i] = x[2 i + 1] for i < n; rows are ld
 * apart in x, out_ld apart in what comes of them. */
typedef void (*tni_conv_unzip_fn)(float *even, float *odd, size_t out_ld,
                                  const float *x, size_t ld, size_t n,
                                  size_t rows);

typedef struct tni_conv_kernels {
    uint32_t isa;
    const char *name;
    int mr, nr; /* of the CHANNELS tile */
    tni_conv_tile_fn tile;
    tni_conv_unfold_fn unfold; /* panels of the gemm row of the same ISA */
    tni_conv_finish_fn finish;
    tni_conv_unzip_fn unzip;
} tni_conv_kernels;

#define TN_CONV_KERNEL(isa, name, mr, nr)                                      \
    void tni_conv_f32_tile__##name(const tni_conv_tile *t);                    \
    void tni_conv_f32_unfold__##name(float *out, const float *x,               \
                                     const uint32_t *off, size_t k,            \
                                     const uint32_t *pix, size_t n);           \
    void tni_conv_f32_unzip__##name(float *even, float *odd, size_t out_ld,    \
                                    const float *x, size_t ld, size_t n,       \
                                    size_t rows);                              \
    void tni_conv_f32_finish__##name(float *y, const float *add, size_t n,     \
                                     bool clip, float lo, float hi);
#include "kernels/conv/conv.def"
#undef TN_CONV_KERNEL

void tni_conv_init(tni_conv_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_conv_row(tni_conv_kernels *k, int i);

typedef enum tni_conv_method {
    TNI_CONV_CHANNELS,
    TNI_CONV_PIXELS
} tni_conv_method;

/* Everything about a convolution but its data. */
typedef struct tni_conv_plan {
    tni_conv_shape s;
    tni_conv_method method;
    size_t k, in_len, out_len; /* terms; elements of a channel */
    size_t need[3];            /* extents that are read, padding included */
    size_t pad_dim[3];         /* of the padded image, sorted by remainder */
    size_t pad_len;            /* of a padded channel; 0: read in place */
    size_t packed_len;         /* floats of packed weights, all groups */
    size_t group_len;          /* of one group */
    size_t table_len;          /* uint32_t of tables */
    size_t shared_len;         /* floats of scratch for the padded image */
    size_t worker_len;         /* floats of scratch per worker */
    size_t oc_step, p_step;    /* channels and pixels of a task */
    size_t k_step;             /* terms of a block, in CHANNELS */
    size_t p_some;             /* pixels unfolded at a time, in PIXELS */
    size_t oc_tasks, p_tasks;
} tni_conv_plan;

/* Chooses method and sizes. False when a size overflows or the image is too
 * large for 32-bit offsets: use the reference operator then. */
bool tni_conv_plan_init(tni_conv_plan *p, const tni_conv_kernels *ker,
                        const tni_gemm_kernels *gemm, const tni_conv_shape *s);

/* The same with the method given; for tests. */
bool tni_conv_plan_method(tni_conv_plan *p, const tni_conv_kernels *ker,
                          const tni_gemm_kernels *gemm, const tni_conv_shape *s,
                          tni_conv_method method);

/* Fills packed_len floats; depends on weights and method only. */
void tni_conv_pack(const tni_conv_plan *p, const tni_conv_kernels *ker,
                   const tni_gemm_kernels *gemm, float *packed, const float *w);

/* Fills table_len offsets; depends on the shape only. */
void tni_conv_tables(const tni_conv_plan *p, uint32_t *tables);

/* Floats of scratch for a number of workers. */
static inline size_t tni_conv_scratch_len(const tni_conv_plan *p, int workers)
{
    return p->shared_len + (size_t)workers * p->worker_len;
}

/* epi: bias_row is the bias per channel, add a tensor like y with any add_ld;
 * alpha, beta and bias_col are not used. */
void tni_conv_run(const tni_conv_plan *p, const tni_conv_kernels *ker,
                  const tni_gemm_kernels *gemm, const float *x,
                  const float *packed, const uint32_t *tables,
                  const tni_epilogue *epi, float *y, float *scratch,
                  const tni_par *par);

#endif
