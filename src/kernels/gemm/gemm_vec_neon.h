/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_vec_neon.h - the vector operations of the gemm templates, 4 floats wide */
#define VW 4
#define VN 4
typedef float32x4_t V;
#define v_zero()       vdupq_n_f32(0.0f)
#define v_loadu(p)     vld1q_f32(p)
#define v_storeu(p, x) vst1q_f32(p, x)
#define v_dup(p)       vld1q_dup_f32(p)
#define v_fma(a, b, c) vfmaq_f32(c, a, b)
#define v_mul(a, b)    vmulq_f32(a, b)
#define v_add(a, b)    vaddq_f32(a, b)
/* By comparison, so that NaN and the sign of zero come out as on x86. */
TN_INLINE V v_clip(V x, V l, V h)
{
    const V y = vbslq_f32(vcltq_f32(x, l), l, x);
    return vbslq_f32(vcgtq_f32(y, h), h, y);
}
/* acc += a * b, staying where it is: gcc 12 else renames accumulators, copies
 * some and spills others. */
#if defined(TN_NO_TARGET)
#define v_acc(acc, a, b) acc = v_fma(a, b, acc)
#else
#define v_acc(acc, a, b)                                                       \
    do {                                                                       \
        acc = v_fma(a, b, acc);                                                \
        __asm__("" : "+w"(acc));                                               \
    } while (0)
#endif
#define v_acc_at(acc, a, p) v_acc(acc, a, v_loadu(p))
