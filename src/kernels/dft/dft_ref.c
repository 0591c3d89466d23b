/* SPDX-License-Identifier: Apache-2.0 */
/* dft_ref.c - Fourier transforms in plain C: the template over vectors of one
 * float */
#include "kernels/dft/dft.h"

/* clang-format off */
#define TNI_FN(name) name##__ref
enum { VW = 1 };
typedef float vf;
static inline vf v_set1(float x) { return x; }
static inline vf v_load(const float *p) { return *p; }
static inline void v_store(float *p, vf v) { *p = v; }
static inline vf v_add(vf a, vf b) { return a + b; }
static inline vf v_sub(vf a, vf b) { return a - b; }
static inline vf v_mul(vf a, vf b) { return a * b; }
static inline vf v_neg(vf a) { return -a; }
/* Rounded twice: fmaf is a call where there is no such instruction. */
static inline vf v_fma(vf a, vf b, vf c) { return a * b + c; }
static inline vf v_fnma(vf a, vf b, vf c) { return c - a * b; }
static inline vf v_reverse(vf a) { return a; }
static inline void v_unzip(const float *p, vf *re, vf *im)
{
    *re = p[0];
    *im = p[1];
}
static inline void v_zip(float *p, vf re, vf im)
{
    p[0] = re;
    p[1] = im;
}
/* clang-format on */

#define D_LANES 1
#include "kernels/dft/dft_tmpl.h"
