/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmath.h - exp, log, erf, tanh and friends over the vocabulary of simd_*.h
 *
 * Included inside a target region after one of simd_avx2.h, simd_avx512.h and
 * simd_neon.h. All polynomials come from tools/minimax.py, which prints them;
 * the C constants are its output. Numeric bounds are in unary.c.
 */
#ifndef TN_SRC_KERNELS_VMATH_H
#define TN_SRC_KERNELS_VMATH_H

/* ln 2 in two parts; the first has 15 bits: n * hi is exact for |n| < 512. */
#define V_LN2_HI 0x1.62e4p-1f
#define V_LN2_LO 0x1.7f7d1cp-20f

/* exp(x) - 1 = 2^n (1 + em) - 1 with |r| <= ln2 / 2: gives em and n, the
 * latter plus 1.5 * 2^23, whose low bits are then the integer. */
TN_INLINE vf v_exp_parts_raw(vf x, vf *n)
{
    const vf magic = v_set1(0x1.8p23f);
    *n = v_fma(x, v_set1(0x1.715476p0f), magic);
    const vf k = v_sub(*n, magic);
    vf r = v_fnma(k, v_set1(V_LN2_HI), x);
    r = v_fnma(k, v_set1(V_LN2_LO), r);
    vf p = v_set1(0x1.6a4f28p-10f);
    p = v_fma(p, r, v_set1(0x1.12398p-7f));
    p = v_fma(p, r, v_set1(0x1.5558aep-5f));
    p = v_fma(p, r, v_set1(0x1.555492p-3f));
    p = v_fma(p, r, v_set1(0x1.fffffcp-2f));
    return v_fma(v_mul(r, r), p, r);
}

TN_INLINE vf v_exp_parts(vf x, vf *n)
{
    const vf em = v_exp_parts_raw(x, n);
    *n = v_sub(*n, v_set1(0x1.8p23f));
    return em;
}

/* Below -104 the result rounds to 0, above 89 to infinity. */
TN_INLINE vf v_exp(vf x)
{
    x = v_max(v_set1(-104.0f), v_min(v_set1(89.0f), x));
    vf n;
    const vf em = v_exp_parts(x, &n);
    return v_scale2(v_add(v_set1(1.0f), em), n);
}

/* exp(x) - 1 for x <= 0 (more is taken as 0), without cancellation. */
TN_INLINE vf v_expm1_neg(vf x)
{
    const vf one = v_set1(1.0f);
    const vf c = v_max(v_set1(-25.0f), v_min(v_zero(), x));
    vf n;
    const vf em = v_exp_parts(c, &n);
    const vf s = v_scale2(one, n);
    return v_fma(s, em, v_sub(s, one));
}

/* x = 2^e m with m in [sqrt(1/2), sqrt(2)); log(m) by its series in m - 1. */
TN_INLINE vf v_log(vf x)
{
    const vf inf = v_frombits(vi_set1(0x7f800000));
    const vm tiny = v_lt(x, v_set1(0x1p-126f));
    const vf y = v_select(tiny, v_mul(x, v_set1(0x1p23f)), x);
    const vi off = vi_set1(0x3f3504f3); /* bits of sqrt(1/2) */
    const vi e = vi_sar23(vi_sub(v_bits(y), off));
    const vf f =
        v_sub(v_frombits(vi_sub(v_bits(y), vi_shl23(e))), v_set1(1.0f));
    const vf n = v_add(vi_float(e), v_select(tiny, v_set1(-23.0f), v_zero()));
    vf p = v_set1(0x1.14763ap-4f);
    p = v_fma(p, f, v_set1(-0x1.de02d6p-4f));
    p = v_fma(p, f, v_set1(0x1.e6bf38p-4f));
    p = v_fma(p, f, v_set1(-0x1.fc2884p-4f));
    p = v_fma(p, f, v_set1(0x1.233ba8p-3f));
    p = v_fma(p, f, v_set1(-0x1.555c46p-3f));
    p = v_fma(p, f, v_set1(0x1.99a476p-3f));
    p = v_fma(p, f, v_set1(-0x1.000006p-2f));
    p = v_fma(p, f, v_set1(0x1.555548p-2f));
    const vf f2 = v_mul(f, f);
    vf r = v_fma(v_mul(f, f2), p, v_mul(n, v_set1(V_LN2_LO)));
    r = v_fnma(v_set1(0.5f), f2, r);
    r = v_fma(n, v_set1(V_LN2_HI), v_add(f, r));
    r = v_select(v_eq(x, inf), inf, r);
    r = v_select(v_eq(x, v_zero()), v_neg(inf), r);
    const vf nan = v_frombits(vi_set1(0x7fc00000));
    return v_select(v_le(v_zero(), x), r, nan);
}

/* log(1 + e) for e in [0, 1]. */
TN_INLINE vf v_log1p_unit(vf e)
{
    vf p = v_set1(0x1.4343b2p-10f);
    p = v_fma(p, e, v_set1(-0x1.214572p-7f));
    p = v_fma(p, e, v_set1(0x1.e4de3p-6f));
    p = v_fma(p, e, v_set1(-0x1.0325fcp-4f));
    p = v_fma(p, e, v_set1(0x1.9c549cp-4f));
    p = v_fma(p, e, v_set1(-0x1.1265d2p-3f));
    p = v_fma(p, e, v_set1(0x1.50c804p-3f));
    p = v_fma(p, e, v_set1(-0x1.98dc1cp-3f));
    p = v_fma(p, e, v_set1(0x1.ffedacp-3f));
    p = v_fma(p, e, v_set1(-0x1.5554e2p-2f));
    p = v_fma(p, e, v_set1(0x1.fffffep-2f));
    return v_fnma(v_mul(e, e), p, e);
}

/* x p(x^2) / q(x^2); 1 from 3.925 on, where 1 - erf(x) < 2^-25. */
TN_INLINE vf v_erf(vf x)
{
    const vf one = v_set1(1.0f), end = v_set1(3.925f);
    const vf a = v_min(end, v_abs(x)), z = v_mul(a, a);
    vf p = v_set1(0x1.12ae66p-19f);
    p = v_fma(p, z, v_set1(0x1.2aa20cp-12f));
    p = v_fma(p, z, v_set1(0x1.ee4234p-9f));
    p = v_fma(p, z, v_set1(0x1.b03daep-5f));
    p = v_fma(p, z, v_set1(0x1.86412cp-3f));
    p = v_fma(p, z, v_set1(0x1.20dd74p+0f));
    vf q = v_set1(0x1.3f2d8p-15f);
    q = v_fma(q, z, v_set1(0x1.30fd26p-10f));
    q = v_fma(q, z, v_set1(0x1.eadb66p-7f));
    q = v_fma(q, z, v_set1(0x1.d39fecp-4f));
    q = v_fma(q, z, v_set1(0x1.012138p-1f));
    q = v_fma(q, z, one);
    const vf r = v_min(one, v_div(v_mul(a, p), q));
    return v_copysign(v_select(v_le(end, a), one, r), x);
}

/* x p(x^2) / q(x^2); 1 from 9.02 on, where 1 - tanh(x) < 2^-25. */
TN_INLINE vf v_tanh(vf x)
{
    const vf one = v_set1(1.0f), end = v_set1(9.02f);
    const vf a = v_min(end, v_abs(x)), z = v_mul(a, a);
    vf p = v_set1(0x1.c9c414p-27f);
    p = v_fma(p, z, v_set1(0x1.595fbep-16f));
    p = v_fma(p, z, v_set1(0x1.c9fdeap-9f));
    p = v_fma(p, z, v_set1(0x1.1204fep-3f));
    p = v_fma(p, z, one);
    vf q = v_set1(0x1.a0cabap-21f);
    q = v_fma(q, z, v_set1(0x1.5848ccp-12f));
    q = v_fma(q, z, v_set1(0x1.a7e1dp-6f));
    q = v_fma(q, z, v_set1(0x1.de57cap-2f));
    q = v_fma(q, z, one);
    const vf r = v_min(one, v_div(v_mul(a, p), q));
    return v_copysign(v_select(v_le(end, a), one, r), x);
}

/* exp is taken of -|x|, which neither overflows nor loses small results. Where
 * all of them are normal numbers, n goes straight to the exponent. */
TN_INLINE vf v_sigmoid(vf x)
{
    const vf one = v_set1(1.0f), a = v_neg(v_abs(x));
    vf e;
    if (vm_all(v_le(v_set1(-87.0f), a))) {
        const vf s = v_add(one, v_exp_parts_raw(a, &e));
        e = v_frombits(vi_add(v_bits(s), vi_shl23(v_bits(e))));
    } else {
        e = v_exp(a);
    }
    return v_div(v_select(v_lt(x, v_zero()), e, one), v_add(one, e));
}

TN_INLINE vf v_softplus(vf x)
{
    return v_add(v_max(v_zero(), x), v_log1p_unit(v_exp(v_neg(v_abs(x)))));
}

#endif
