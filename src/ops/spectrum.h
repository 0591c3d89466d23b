/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spectrum.h - Fourier transforms of f32 planned for one operator
 *
 * What the kernels of `dft` cannot do (lengths with other prime factors, the
 * `exact` mode) is left to the doubles of fft.h.
 */
#ifndef TN_SRC_OPS_SPECTRUM_H
#define TN_SRC_OPS_SPECTRUM_H

#include "kernels/dft/dft.h"
#include "ops/op.h"

typedef struct tni_spectrum {
    const tni_dft_row *row; /* NULL: no kernel does it */
    tni_dft_plan plan;
    int64_t points;      /* of the transform; real: 2 n */
    size_t work, worker; /* floats of the kernel's work and of a worker's all */
} tni_spectrum;

/* A value of that type with no elements to look at. */
void tni_spectrum_stand_in(tni_tensor *x, const tni_type *type);

/* Transforms of `points` numbers, or pairs unless `form` is real. A worker has
 * room for the kernel's work and `lines` lines of input and output. */
tn_status tni_spectrum_plan(tni_spectrum *s, tni_plan *c, tni_dft_form form,
                            int64_t points, int lines);
/* Memory for all workers; left in c->scratch_bytes. */
tn_status tni_spectrum_scratch(tni_plan *c, size_t floats, size_t elem_size);

/* Real signals have mirrored spectra: fills pairs past points / 2. */
void tni_spectrum_mirror(float *y, int64_t points);

/* Runs tasks of one transform each, in place when they are short. */
void tni_spectrum_for(const tni_spectrum *s, const tni_par *par,
                      int64_t n_tasks, tni_par_fn fn, void *ctx);

#endif
