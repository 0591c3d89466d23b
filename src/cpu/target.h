/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - compile a region of a file for more than the build's CPU
 *
 *     #include <immintrin.h>
 *     #include "cpu/target.h"
 *     TN_TARGET_BEGIN("avx2,fma,f16c,bmi2")
 *     ...functions...
 *     TN_TARGET_END
 *
 * Headers of the system go before the region, nothing else goes in the file
 * after it, and no code inside asks for __AVX2__ and its like: gcc defines
 * them in the region, clang does not. TN_NO_TARGET turns the regions into
 * plain code, for builds whose intrinsics are emulated.
 */
#ifndef TN_SRC_CPU_TARGET_H
#define TN_SRC_CPU_TARGET_H

#define TN_TARGET_PRAGMA_(x) _Pragma(#x)

#if defined(TN_NO_TARGET)
#define TN_TARGET_BEGIN(isa) _Static_assert(sizeof(isa) > 1, "bundle name");
#define TN_TARGET_END        _Static_assert(1, "end of region");
#elif defined(__clang__)
#define TN_TARGET_BEGIN(isa)                                                   \
    TN_TARGET_PRAGMA_(clang attribute push(__attribute__((target(isa))),       \
                                           apply_to = function))
#define TN_TARGET_END _Pragma("clang attribute pop")
#else
#define TN_TARGET_BEGIN(isa)                                                   \
    _Pragma("GCC push_options") TN_TARGET_PRAGMA_(GCC target(isa))
#define TN_TARGET_END _Pragma("GCC pop_options")
#endif

/* The strings of the bundles of tn_isa: every file spells them alike. */
#define TN_TARGET_AVX2        "avx2,fma,f16c,bmi2"
#define TN_TARGET_AVX512      TN_TARGET_AVX2 ",avx512f,avx512bw,avx512dq,avx512vl"
#define TN_TARGET_AVX512_VNNI TN_TARGET_AVX512 ",avx512vnni"
#define TN_TARGET_AVX512_BF16 TN_TARGET_AVX512 ",avx512bf16"
#define TN_TARGET_AVXVNNI     TN_TARGET_AVX2 ",avxvnni"
#if defined(__clang__)
#define TN_TARGET_NEON_DOT "dotprod"
#else
#define TN_TARGET_NEON_DOT "arch=armv8.2-a+dotprod"
#endif

#endif
