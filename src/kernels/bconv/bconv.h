/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bconv.h - convolutions of bfloat16 pairs of channels, summed in f32
 *
 * An image of pairs holds channels 2 i and 2 i + 1 of a group in the 32 bits of
 * a float, zero after an odd last; weights likewise. conv.h plans, pads, packs
 * and runs it as a float image of half the channels.
 *
 * Shapes:  as conv.h, ic counting pairs
 * Layout:  as conv.h; y, bias and what is added are f32
 * Numeric: as bgemm.h, terms in the order of a row of pairs: of two channels
 *          all taps, then of the next two
 * Aliases: as conv.h
 * Threads: any
 */
#ifndef TN_SRC_KERNELS_BCONV_BCONV_H
#define TN_SRC_KERNELS_BCONV_BCONV_H

#include "kernels/bgemm/bgemm.h"
#include "kernels/conv/conv.h"

#define TN_BCONV_KERNEL(isa, name, mr, nr, conv)                               \
    void tni_bconv_tile__##name(const tni_conv_tile *t);
#include "kernels/bconv/bconv.def"
#undef TN_BCONV_KERNEL

void tni_bconv_init(tni_conv_kernels *k, uint32_t isa);

/* Table access for kcheck: row i, or false past the end. */
bool tni_bconv_row(tni_conv_kernels *k, int i);

/* The shape that conv.h is told. */
tni_conv_shape tni_bconv_shape(const tni_conv_shape *s);

/* Pairs of weights w[groups * oc, ic, kernel], as many as p's k per row. */
void tni_bconv_pair_weights(const tni_conv_shape *s, tni_cvt_narrow_fn narrow,
                            float *out, const float *w);

/* Pairs of channels of x, n * groups * pairs * in_len floats. */
void tni_bconv_pair_image(const tni_conv_shape *s, tni_cvt_narrow_fn narrow,
                          float *out, const float *x, const tni_par *par);

#endif
