/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_vec_avx2.h - the vector operations of the gemm templates, 8 floats wide */
#define VW 8
#define VN 2
typedef __m256 V;
#define v_zero()       _mm256_setzero_ps()
#define v_loadu(p)     _mm256_loadu_ps(p)
#define v_storeu(p, x) _mm256_storeu_ps(p, x)
#define v_dup(p)       _mm256_broadcast_ss(p)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_mul(a, b)    _mm256_mul_ps(a, b)
#define v_add(a, b)    _mm256_add_ps(a, b)
/* min and max return their second operand when one is NaN. */
#define v_clip(x, l, h) _mm256_min_ps(h, _mm256_max_ps(l, x))
/* acc += a * b, and acc += a * p[], staying where it is: gcc 12 else renames
 * accumulators, copies some and spills others. */
#if defined(TN_NO_TARGET)
#define v_acc(acc, a, b)    acc = v_fma(a, b, acc)
#define v_acc_at(acc, a, p) acc = v_fma(a, v_loadu(p), acc)
#else
#define v_acc(acc, a, b)                                                       \
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b))
#define v_acc_at(acc, a, p)                                                    \
    __asm__("vfmadd231ps %2, %1, %0"                                           \
            : "+x"(acc)                                                        \
            : "x"(a), "m"(*(const __m256_u *)(const void *)(p)))
#endif
