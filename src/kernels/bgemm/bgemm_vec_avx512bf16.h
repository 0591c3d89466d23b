/* SPDX-License-Identifier: Apache-2.0 */
/* bgemm_vec_avx512bf16.h - the product of pairs by VDPBF16PS; follows
 * gemm_vec_avx512.h. By name, as v_acc there. */
#undef v_acc
#undef v_acc_at
#if defined(TN_NO_TARGET)
#define v_acc(acc, a, b)    acc = _mm512_dpbf16_ps(acc, a, b)
#define v_acc_at(acc, a, p) acc = _mm512_dpbf16_ps(acc, a, v_loadu(p))
#else
#define v_acc(acc, a, b)                                                       \
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b))
#define v_acc_at(acc, a, p)                                                    \
    __asm__("vdpbf16ps %2, %1, %0"                                             \
            : "+v"(acc)                                                        \
            : "v"(a), "m"(*(const __m512_u *)(const void *)(p)))
#endif
