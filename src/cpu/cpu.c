/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu.c - feature detection
 *
 * Source: Intel SDM vol. 2A "CPUID", vol. 1 ch. 13 (XCR0); AMD APM vol. 3
 * appendix E; Linux Documentation/arm64/elf_hwcaps.rst.
 */
#include "cpu/cpu.h"

#include <string.h>

#if TN_ARCH_X86_64
#include <cpuid.h>
#elif TN_ARCH_AARCH64 && defined(__linux__)
#include <sys/auxv.h>
#endif

/* Sizes to assume where the processor does not tell. */
enum {
    default_l1d = 32 * 1024,
    default_l2 = 512 * 1024,
    default_l3 = 4 * 1024 * 1024
};

/* XCR0 bits: SSE and AVX state; opmask, upper ZMM and ZMM16-31. */
enum { xcr0_avx = 0x6, xcr0_avx512 = 0xe6 };

static int bit(uint32_t word, int n)
{
    return (int)((word >> n) & 1u);
}

static void set_defaults(tni_cpu *cpu)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->l1d_bytes = default_l1d;
    cpu->l2_bytes = default_l2;
    cpu->l3_bytes = default_l3;
}

/* Leaf 4 (Intel) and leaf 0x8000001d (AMD) share this layout. */
static void decode_caches(tni_cpu *cpu, tni_cpuid_fn cpuid, const void *ctx,
                          uint32_t leaf)
{
    for (uint32_t sub = 0; sub < 16; sub++) {
        uint32_t r[4] = {0, 0, 0, 0};
        cpuid(ctx, leaf, sub, r);
        const uint32_t type = r[0] & 31u; /* 1 data, 2 code, 3 unified */
        if (type == 0) break;
        if (type == 2) continue;
        const size_t line = (r[1] & 0xfffu) + 1;
        const size_t partitions = ((r[1] >> 12) & 0x3ffu) + 1;
        const size_t ways = (r[1] >> 22) + 1;
        const size_t sets = (size_t)r[2] + 1;
        const size_t size = line * partitions * ways * sets;
        switch ((r[0] >> 5) & 7u) {
        case 1: cpu->l1d_bytes = size; break;
        case 2: cpu->l2_bytes = size; break;
        case 3: cpu->l3_bytes = size; break;
        default: break;
        }
    }
}

static void decode_model(tni_cpu *cpu, uint32_t eax)
{
    const int base_family = (int)((eax >> 8) & 15u);
    const int base_model = (int)((eax >> 4) & 15u);
    const int ext_family = (int)((eax >> 20) & 255u);
    const int ext_model = (int)((eax >> 16) & 15u);
    cpu->family = base_family == 15 ? base_family + ext_family : base_family;
    cpu->model = base_family == 15 || base_family == 6
                     ? base_model + (ext_model << 4)
                     : base_model;
}

static void decode_quirks(tni_cpu *cpu)
{
    const int amd = strcmp(cpu->vendor, "AuthenticAMD") == 0 ||
                    strcmp(cpu->vendor, "HygonGenuine") == 0;
    if (amd) cpu->quirks |= TNI_CPU_SLOW_GATHER;
    /* Skylake-SP and Cascade Lake: the only servers with a heavy penalty. */
    if (strcmp(cpu->vendor, "GenuineIntel") == 0 && cpu->family == 6 &&
        cpu->model == 0x55)
        cpu->quirks |= TNI_CPU_AVOID_512;
}

void tni_cpu_decode_x86(tni_cpu *cpu, tni_cpuid_fn cpuid, const void *ctx,
                        uint64_t xcr0)
{
    uint32_t l0[4] = {0}, l1[4] = {0}, l7[4] = {0}, l7s1[4] = {0};
    set_defaults(cpu);
    cpuid(ctx, 0, 0, l0);
    memcpy(cpu->vendor, &l0[1], 4);
    memcpy(cpu->vendor + 4, &l0[3], 4);
    memcpy(cpu->vendor + 8, &l0[2], 4);
    if (l0[0] >= 1) cpuid(ctx, 1, 0, l1);
    decode_model(cpu, l1[0]);
    if (l0[0] >= 7) cpuid(ctx, 7, 0, l7);
    if (l0[0] >= 7 && l7[0] >= 1) cpuid(ctx, 7, 1, l7s1);

    /* Without OSXSAVE the operating system saves no vector state at all. */
    const uint64_t state = bit(l1[2], 27) != 0 ? xcr0 : 0;
    const int avx2 = (state & xcr0_avx) == xcr0_avx && bit(l1[2], 28) != 0 &&
                     bit(l1[2], 12) != 0 && bit(l1[2], 29) != 0 &&
                     bit(l7[1], 5) != 0 && bit(l7[1], 8) != 0;
    const int avx512 = avx2 != 0 && (state & xcr0_avx512) == xcr0_avx512 &&
                       bit(l7[1], 16) != 0 && bit(l7[1], 17) != 0 &&
                       bit(l7[1], 30) != 0 && bit(l7[1], 31) != 0;
    if (avx2 != 0) cpu->isa |= TN_ISA_AVX2;
    if (avx2 != 0 && bit(l7s1[0], 4) != 0) cpu->isa |= TN_ISA_AVXVNNI;
    if (avx512 != 0) cpu->isa |= TN_ISA_AVX512;
    if (avx512 != 0 && bit(l7[2], 11) != 0) cpu->isa |= TN_ISA_AVX512_VNNI;
    if (avx512 != 0 && bit(l7s1[0], 5) != 0) cpu->isa |= TN_ISA_AVX512_BF16;

    uint32_t ext[4] = {0};
    cpuid(ctx, 0x80000000u, 0, ext);
    const uint32_t last_ext = ext[0];
    uint32_t topo[4] = {0};
    if (last_ext >= 0x80000001u) cpuid(ctx, 0x80000001u, 0, topo);
    if (last_ext >= 0x8000001du && bit(topo[2], 22) != 0)
        decode_caches(cpu, cpuid, ctx, 0x8000001du);
    else if (l0[0] >= 4)
        decode_caches(cpu, cpuid, ctx, 4);
    decode_quirks(cpu);
}

void tni_cpu_decode_aarch64(tni_cpu *cpu, uint64_t hwcap)
{
    set_defaults(cpu);
    memcpy(cpu->vendor, "aarch64", 8);
    const int asimd = (int)((hwcap >> 1) & 1u);
    if (asimd == 0) return;
    cpu->isa |= TN_ISA_NEON;
    if (((hwcap >> 20) & 1u) != 0) cpu->isa |= TN_ISA_NEON_DOT;
    /* Scalar and vector half arithmetic come together in practice. */
    if (((hwcap >> 9) & 1u) != 0 && ((hwcap >> 10) & 1u) != 0)
        cpu->isa |= TN_ISA_NEON_FP16;
}

#if TN_ARCH_X86_64
static void native_cpuid(const void *ctx, uint32_t leaf, uint32_t sub,
                         uint32_t out[4])
{
    (void)ctx;
    __cpuid_count(leaf, sub, out[0], out[1], out[2], out[3]);
}

static uint64_t native_xcr0(void)
{
    uint32_t r[4] = {0};
    native_cpuid(NULL, 1, 0, r);
    if (bit(r[2], 27) == 0) return 0; /* xgetbv would fault */
    uint32_t lo = 0, hi = 0;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}
#endif

void tni_cpu_detect(tni_cpu *cpu)
{
#if TN_ARCH_X86_64
    tni_cpu_decode_x86(cpu, native_cpuid, NULL, native_xcr0());
#elif TN_ARCH_AARCH64 && defined(__linux__)
    tni_cpu_decode_aarch64(cpu, getauxval(AT_HWCAP));
#elif TN_ARCH_AARCH64
    tni_cpu_decode_aarch64(cpu, 2); /* Advanced SIMD is the baseline */
#else
    set_defaults(cpu);
#endif
#if defined(TN_EMULATED_ISA)
    /* Rows built over an emulation: tests/models/CMakeLists.txt. */
    cpu->isa |= TN_EMULATED_ISA;
#endif
}

uint32_t tn_cpu_isa(void)
{
    tni_cpu cpu;
    tni_cpu_detect(&cpu);
    return cpu.isa;
}
