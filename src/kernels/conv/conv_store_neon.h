/* SPDX-License-Identifier: Apache-2.0 */
/* conv_store_neon.h - transposing stores of the conv template, 4 wide */
TN_INLINE void store_quad(float *y, size_t cs, V a, V b, V c, V d)
{
    const V t0 = vzip1q_f32(a, b), t1 = vzip2q_f32(a, b);
    const V t2 = vzip1q_f32(c, d), t3 = vzip2q_f32(c, d);
    vst1q_f32(y, vcombine_f32(vget_low_f32(t0), vget_low_f32(t2)));
    vst1q_f32(y + cs, vcombine_f32(vget_high_f32(t0), vget_high_f32(t2)));
    vst1q_f32(y + 2 * cs, vcombine_f32(vget_low_f32(t1), vget_low_f32(t3)));
    vst1q_f32(y + 3 * cs, vcombine_f32(vget_high_f32(t1), vget_high_f32(t3)));
}

TN_INLINE void store_pair(float *y, size_t cs, V a, V b)
{
    const V lo = vzip1q_f32(a, b), hi = vzip2q_f32(a, b);
    vst1_f32(y, vget_low_f32(lo));
    vst1_f32(y + cs, vget_high_f32(lo));
    vst1_f32(y + 2 * cs, vget_low_f32(hi));
    vst1_f32(y + 3 * cs, vget_high_f32(hi));
}

TN_INLINE void v_unzip(float *even, float *odd, const float *x)
{
    const float32x4x2_t v = vld2q_f32(x);
    v_storeu(even, v.val[0]);
    v_storeu(odd, v.val[1]);
}

#define unzip_4 v_unzip
