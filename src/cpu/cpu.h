/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu.h - what the processor offers: feature bundles, behaviour, cache sizes
 *
 * Executing cpuid and decoding its answer are apart, so that a test can feed
 * recorded leaves of machines it does not have.
 */
#ifndef TN_SRC_CPU_CPU_H
#define TN_SRC_CPU_CPU_H

#include "base/config.h"
#include "tenon/base.h"

#include <stddef.h>
#include <stdint.h>

/* Behaviour a kernel author may care about beside what an ISA allows. */
enum {
    TNI_CPU_SLOW_GATHER = 1 << 0, /* a gather costs more than scalar loads */
    TNI_CPU_AVOID_512 = 1 << 1    /* 512-bit code lowers the clock */
};

typedef struct tni_cpu {
    uint32_t isa;    /* tn_isa bits that CPU and operating system offer */
    uint32_t quirks; /* TNI_CPU_... */
    /* Per core (L1 data, L2) and per core complex (L3); never 0. */
    size_t l1d_bytes, l2_bytes, l3_bytes;
    int family, model; /* x86 display family and model, else 0 */
    char vendor[16];   /* "GenuineIntel", "AuthenticAMD", "aarch64" */
} tni_cpu;

/* Asks the processor this runs on. Threads: any. */
void tni_cpu_detect(tni_cpu *cpu);

/* Fills out[] with eax, ebx, ecx, edx of one cpuid leaf; zeros when unknown. */
typedef void (*tni_cpuid_fn)(const void *ctx, uint32_t leaf, uint32_t sub,
                             uint32_t out[4]);

/* Decodes what cpuid says; xcr0 is the state the operating system saves. */
void tni_cpu_decode_x86(tni_cpu *cpu, tni_cpuid_fn cpuid, const void *ctx,
                        uint64_t xcr0);

/* Decodes Linux's AT_HWCAP word of an AArch64 process. */
void tni_cpu_decode_aarch64(tni_cpu *cpu, uint64_t hwcap);

#endif
