/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - what the compiler tells us about the target; no generated file */
#ifndef TN_SRC_BASE_CONFIG_H
#define TN_SRC_BASE_CONFIG_H

#if defined(__x86_64__) || defined(_M_X64)
#define TN_ARCH_X86_64 1
#else
#define TN_ARCH_X86_64 0
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define TN_ARCH_AARCH64 1
#else
#define TN_ARCH_AARCH64 0
#endif

#if !defined(__GNUC__) && !defined(__clang__)
#error "Tenon needs gcc or clang (GNU builtins and target regions)"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define TN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TN_ASAN 1
#endif
#endif
#ifndef TN_ASAN
#define TN_ASAN 0
#endif

#define TN_LIKELY(x)   __builtin_expect(!!(x), 1)
#define TN_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define TN_UNUSED      __attribute__((unused))
#define TN_ALIGNED(n)  __attribute__((aligned(n)))
#define TN_INLINE      static inline __attribute__((always_inline))
#define TN_NOINLINE    __attribute__((noinline))

/* Cache line and vector alignment of every tensor and packed block. */
#define TNI_ALIGN 64

#endif
