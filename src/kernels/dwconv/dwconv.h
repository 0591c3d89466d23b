/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwconv.h - single precision depthwise convolution of one or two dimensions
 *
 * Shapes:  x[n, c, h, w], w[c * m, kh, kw] -> y[n, c * m, oh, ow]: every input
 *          channel has m filters of its own
 * Method:  a strip of rows is copied into scratch with its padding, the
 *          columns of a row sorted by their remainder modulo the stride. Then
 *          every tap is a fixed offset, and tiles are four rows by one or two
 *          vectors, the last of a row overlapping those before it.
 * Numeric: one chain of fused multiply-adds per element in the order of the
 *          taps, as in conv.h: the same bits as its methods.
 * Aliases: y overlaps neither x nor w nor epi.add
 * Reads:   no more than the tensors given
 * Threads: any; scratch is exclusive to the call
 */
#ifndef TN_SRC_KERNELS_DWCONV_DWCONV_H
#define TN_SRC_KERNELS_DWCONV_DWCONV_H

#include "kernels/conv/conv.h"

/* Element (r, j) of the tile, at y[r * cols + j], is
 * clip(sum_k w[k] * x[off[k] + r * x_rs + j] + bias). x may be read up to
 * TNI_DWCONV_SLACK elements further than that; y and x do not overlap. Where
 * near_side is not 0, it is the side of a square kernel and off[] is not read:
 * tap (a, b) is at x[a * x_rs + b]. */
typedef struct tni_dwconv_tile {
    const float *x;
    size_t x_rs;
    const uint32_t *off;
    const float *w;
    size_t k;
    size_t near_side; /* 0, 3 or 5 */
    float *y;
    size_t rows, cols;
    float bias;
    bool clip;
    float lo, hi;
} tni_dwconv_tile;

enum { TNI_DWCONV_SLACK = 16, TNI_DWCONV_STRIDE = 16 /* at most */ };

typedef void (*tni_dwconv_tile_fn)(const tni_dwconv_tile *t);

typedef struct tni_dwconv_kernels {
    uint32_t isa;
    const char *name;
    tni_dwconv_tile_fn tile;
    tni_conv_unzip_fn unzip; /* these two of the conv family */
    tni_conv_finish_fn finish;
} tni_dwconv_kernels;

#define TN_DWCONV_KERNEL(isa, name)                                            \
    void tni_dwconv_f32_tile__##name(const tni_dwconv_tile *t);
#include "kernels/dwconv/dwconv.def"
#undef TN_DWCONV_KERNEL

void tni_dwconv_init(tni_dwconv_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_dwconv_row(tni_dwconv_kernels *k, int i);

typedef struct tni_dwconv_plan {
    tni_conv_shape s;
    size_t in_len, out_len, k;
    size_t near_side; /* 3 or 5: of a square kernel without strides; or 0 */
    size_t width;     /* columns of a sorted row */
    size_t pitch;     /* from one to the next */
    /* Of a row of every remainder modulo the stride: floats before it, where
     * the image begins, and how much of it there is. */
    size_t lead[TNI_DWCONV_STRIDE], from[TNI_DWCONV_STRIDE];
    size_t count[TNI_DWCONV_STRIDE];
    size_t pairs;      /* stride 2: elements of the image sorted in pairs */
    size_t rows, taps; /* output rows of a strip; sorted rows it needs */
    size_t strips;     /* of an output plane */
    size_t batch;      /* strips that are worked on at once */
    size_t worker_len; /* floats of scratch per worker */
    size_t table_len;  /* uint32_t of offsets */
} tni_dwconv_plan;

/* False when the shape is not depthwise of at most two dimensions, or too
 * large: then conv.h's methods apply. */
bool tni_dwconv_plan_init(tni_dwconv_plan *p, const tni_conv_shape *s);

void tni_dwconv_tables(const tni_dwconv_plan *p, uint32_t *tables);

/* epi as in tni_conv_run; scratch: worker_len floats per worker, 64-byte
 * aligned. Weights are used as they are. */
void tni_dwconv_run(const tni_dwconv_plan *p, const tni_dwconv_kernels *ker,
                    const float *x, const float *w, const uint32_t *tables,
                    const tni_epilogue *epi, float *y, float *scratch,
                    const tni_par *par);

#endif
