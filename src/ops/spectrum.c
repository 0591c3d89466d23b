/* SPDX-License-Identifier: Apache-2.0 */
/* spectrum.c - plan the Fourier transforms of an operator */
#include "ops/spectrum.h"

#include "base/checked.h"
#include "kernels/kernels.h"

#include <string.h>

void tni_spectrum_stand_in(tni_tensor *x, const tni_type *type)
{
    memset(x, 0, sizeof *x);
    x->dtype = type->dtype;
    x->rank = type->rank;
    x->len = 1;
    for (int d = 0; d < type->rank; d++) {
        x->dims[d] = type->dims[d];
        x->len *= type->dims[d];
    }
}

tn_status tni_spectrum_scratch(tni_plan *c, size_t floats, size_t elem_size)
{
    const size_t workers = (size_t)(c->n_workers > 1 ? c->n_workers : 1);
    size_t bytes = 0;
    if (!tni_mul_size(floats, elem_size, &bytes) ||
        !tni_mul_size(bytes, workers, &c->scratch_bytes))
        return tni_fail(c->err, TN_ELIMIT, "a transform that is too large");
    return TN_OK;
}

tn_status tni_spectrum_plan(tni_spectrum *s, tni_plan *c, tni_dft_form form,
                            int64_t points, int lines)
{
    memset(s, 0, sizeof *s);
    s->points = points;
    const bool real = form == TNI_DFT_REAL;
    if (c->exact || points < 1 || points > TNI_DFT_MAX_POINTS ||
        (real && points % 2 != 0))
        return TN_OK;
    const size_t n = (size_t)(real ? points / 2 : points);
    const tni_dft_row *row = tni_dft_choose(&c->kernels->dft, n);
    if (row == NULL) return TN_OK;
    float *tables = TNI_NEW_ARRAY(c->arena, float, tni_dft_tables(n));
    if (tables == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
    tni_dft_build(&s->plan, row, form, n, tables);
    s->row = row;
    s->work = tni_dft_work(n);
    /* Workers begin at lines of the cache. */
    s->worker =
        (s->work + (size_t)lines * 2 * (size_t)(points + 1) + 15) / 16 * 16;
    return tni_spectrum_scratch(c, s->worker, sizeof(float));
}

void tni_spectrum_mirror(float *y, int64_t points)
{
    for (int64_t i = points / 2 + 1; i < points; i++) {
        y[2 * i] = y[2 * (points - i)];
        y[2 * i + 1] = -y[2 * (points - i) + 1];
    }
}

void tni_spectrum_for(const tni_spectrum *s, const tni_par *par,
                      int64_t n_tasks, tni_par_fn fn, void *ctx)
{
    /* Waking a thread costs as much as transforming some 30,000 points. */
    const double size = (double)s->points * (double)n_tasks;
    if (size < 32768.0)
        fn(ctx, 0, (size_t)n_tasks, 0);
    else
        tni_par_for(par, (size_t)n_tasks, fn, ctx);
}
