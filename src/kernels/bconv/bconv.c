/* SPDX-License-Identifier: Apache-2.0 */
/* bconv.c - choose a row, and put channels together in pairs */
#include "kernels/bconv/bconv.h"

#include "tenon/base.h"

static const tni_conv_kernels rows[] = {
#define TN_BCONV_KERNEL(isa, name, mr, nr, conv)                               \
    {isa,                                                                      \
     #name,                                                                    \
     mr,                                                                       \
     nr,                                                                       \
     tni_bconv_tile__##name,                                                   \
     tni_conv_f32_unfold__##conv,                                              \
     tni_conv_f32_finish__##conv,                                              \
     tni_conv_f32_unzip__##conv},
#include "kernels/bconv/bconv.def"
#undef TN_BCONV_KERNEL
};
enum { n_rows = sizeof rows / sizeof rows[0] };

void tni_bconv_init(tni_conv_kernels *k, uint32_t isa)
{
    for (int i = 0; i < n_rows; i++)
        if ((rows[i].isa & isa) == rows[i].isa) *k = rows[i];
}

bool tni_bconv_row(tni_conv_kernels *k, int i)
{
    if (i < 0 || i >= n_rows) return false;
    *k = rows[i];
    return true;
}

tni_conv_shape tni_bconv_shape(const tni_conv_shape *s)
{
    tni_conv_shape pairs = *s;
    pairs.ic = tni_bgemm_pairs(s->ic);
    return pairs;
}

static size_t volume(const size_t d[3])
{
    return d[0] * d[1] * d[2];
}

void tni_bconv_pair_weights(const tni_conv_shape *s, tni_cvt_narrow_fn narrow,
                            float *out, const float *w)
{
    const size_t taps = volume(s->kernel), ic = s->ic;
    for (size_t o = 0; o < s->groups * s->oc; o++, w += ic * taps) {
        if (taps == 1) {
            tni_bgemm_pair_row(narrow, out, w, ic);
            out += tni_bgemm_pairs(ic);
            continue;
        }
        for (size_t c = 0; c < ic; c += 2, out += taps) {
            const float *x = w + c * taps;
            tni_bgemm_pair_zip(narrow, out, x, c + 1 < ic ? x + taps : NULL,
                               taps);
        }
    }
}

typedef struct image_job {
    const tni_conv_shape *s;
    tni_cvt_narrow_fn narrow;
    const float *x;
    float *out;
} image_job;

static void pair_channels(void *ctx, size_t begin, size_t end, int worker)
{
    const image_job *j = ctx;
    const size_t ic = j->s->ic, per = tni_bgemm_pairs(ic);
    const size_t len = volume(j->s->in);
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const size_t c = i % per * 2;
        const float *x = j->x + (i / per * ic + c) * len;
        tni_bgemm_pair_zip(j->narrow, j->out + i * len, x,
                           c + 1 < ic ? x + len : NULL, len);
    }
}

void tni_bconv_pair_image(const tni_conv_shape *s, tni_cvt_narrow_fn narrow,
                          float *out, const float *x, const tni_par *par)
{
    image_job j = {s, narrow, x, out};
    tni_par_for(par, s->n * s->groups * tni_bgemm_pairs(s->ic), pair_channels,
                &j);
}
