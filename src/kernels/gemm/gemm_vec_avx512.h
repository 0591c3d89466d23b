/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_vec_avx512.h - the vector operations of the gemm templates, 16 floats wide */
#define VW 16
#define VN 2
typedef __m512 V;
#define v_zero()       _mm512_setzero_ps()
#define v_loadu(p)     _mm512_loadu_ps(p)
#define v_storeu(p, x) _mm512_storeu_ps(p, x)
#define v_dup(p)       _mm512_set1_ps(*(p))
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_mul(a, b)    _mm512_mul_ps(a, b)
#define v_add(a, b)    _mm512_add_ps(a, b)
/* min and max return their second operand when one is NaN. */
#define v_clip(x, l, h) _mm512_min_ps(h, _mm512_max_ps(l, x))
/* acc += a * b, and acc += a * p[], staying where it is: gcc 12 else renames
 * accumulators, copies some and spills others. */
#if defined(TN_NO_TARGET)
#define v_acc(acc, a, b)    acc = v_fma(a, b, acc)
#define v_acc_at(acc, a, p) acc = v_fma(a, v_loadu(p), acc)
#else
#define v_acc(acc, a, b)                                                       \
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b))
#define v_acc_at(acc, a, p)                                                    \
    __asm__("vfmadd231ps %2, %1, %0"                                           \
            : "+v"(acc)                                                        \
            : "v"(a), "m"(*(const __m512_u *)(const void *)(p)))
#endif
