/* SPDX-License-Identifier: Apache-2.0 */
/* test_cpu.c - feature detection from recorded cpuid leaves */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/cpu.h"
#include "kernels/kernels.h"

#include <string.h>

typedef struct leaf {
    uint32_t leaf, sub, r[4];
} leaf;

typedef struct machine {
    const leaf *leaves;
    size_t n;
} machine;

static void replay(const void *ctx, uint32_t want, uint32_t sub,
                   uint32_t out[4])
{
    const machine *m = ctx;
    memset(out, 0, 4 * sizeof *out);
    for (size_t i = 0; i < m->n; i++)
        if (m->leaves[i].leaf == want && m->leaves[i].sub == sub)
            memcpy(out, m->leaves[i].r, sizeof m->leaves[i].r);
}

#define MACHINE(name)                                                          \
    {                                                                          \
        name, sizeof name / sizeof name[0]                                     \
    }

/* Ice Lake server class: AVX-512 with VNNI, no BF16. */
static const leaf icelake[] = {
    {0, 0, {0x1b, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {1, 0, {0x000606a6, 0, 0x38001000 | 1u << 12, 0}},
    {7, 0, {0, 0xf0030120 | 1u << 5 | 1u << 8, 1u << 11, 0}},
    {4, 0, {0x21, 11u << 22 | 63, 63, 0}},
    {4, 1, {0x22, 7u << 22 | 63, 63, 0}},
    {4, 2, {0x43, 19u << 22 | 63, 1023, 0}},
    {4, 3, {0x63, 11u << 22 | 63, 65535, 0}},
    {0x80000000u, 0, {0x80000008u, 0, 0, 0}},
};

/* Zen 3: AVX2, caches by the extended leaf. */
static const leaf zen3[] = {
    {0, 0, {0x10, 0x68747541, 0x444d4163, 0x69746e65}},
    {1, 0, {0x00a20f10, 0, 0x38001000, 0}},
    {7, 0, {0, 1u << 5 | 1u << 8, 0, 0}},
    {0x80000000u, 0, {0x80000023u, 0, 0, 0}},
    {0x80000001u, 0, {0, 0, 1u << 22, 0}},
    {0x8000001du, 0, {0x21, 7u << 22 | 63, 63, 0}},
    {0x8000001du, 1, {0x22, 7u << 22 | 63, 63, 0}},
    {0x8000001du, 2, {0x43, 7u << 22 | 63, 1023, 0}},
    {0x8000001du, 3, {0x63, 15u << 22 | 63, 32767, 0}},
};

/* Skylake-SP: AVX-512 that lowers the clock. */
static const leaf skylake_sp[] = {
    {0, 0, {0x16, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {1, 0, {0x00050654, 0, 0x38001000, 0}},
    {7, 0, {0, 0xd0030120 | 1u << 30 | 1u << 31, 0, 0}},
};

/* Nehalem: no OSXSAVE, nothing to offer. */
static const leaf nehalem[] = {
    {0, 0, {0xb, 0x756e6547, 0x6c65746e, 0x49656e69}},
    {1, 0, {0x000106a5, 0, 0x009ce3bd & ~(1u << 27), 0}},
};

static void test_icelake(void **state)
{
    (void)state;
    const machine m = MACHINE(icelake);
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, 0xe7);
    assert_int_equal(cpu.isa, TN_ISA_AVX2 | TN_ISA_AVX512 | TN_ISA_AVX512_VNNI);
    assert_string_equal(cpu.vendor, "GenuineIntel");
    assert_int_equal(cpu.family, 6);
    assert_int_equal(cpu.model, 0x6a);
    assert_int_equal(cpu.l1d_bytes, 48 * 1024);
    assert_int_equal(cpu.l2_bytes, 1280 * 1024);
    assert_int_equal(cpu.l3_bytes, 48 * 1024 * 1024);
    assert_int_equal(cpu.quirks, 0);
}

/* The CPU has AVX-512 but the system does not save its registers. */
static void test_state_not_saved(void **state)
{
    (void)state;
    const machine m = MACHINE(icelake);
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, 0x07);
    assert_int_equal(cpu.isa, TN_ISA_AVX2);
    tni_cpu_decode_x86(&cpu, replay, &m, 0x03);
    assert_int_equal(cpu.isa, TN_ISA_REF);
}

static void test_zen3(void **state)
{
    (void)state;
    const machine m = MACHINE(zen3);
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, 0x07);
    assert_int_equal(cpu.isa, TN_ISA_AVX2);
    assert_int_equal(cpu.family, 0x19);
    assert_int_equal(cpu.l1d_bytes, 32 * 1024);
    assert_int_equal(cpu.l2_bytes, 512 * 1024);
    assert_int_equal(cpu.l3_bytes, 32 * 1024 * 1024);
    assert_int_equal(cpu.quirks, TNI_CPU_SLOW_GATHER);
}

static void test_skylake_sp(void **state)
{
    (void)state;
    const machine m = MACHINE(skylake_sp);
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, 0xe7);
    assert_int_equal(cpu.isa, TN_ISA_AVX2 | TN_ISA_AVX512);
    assert_int_equal(cpu.quirks, TNI_CPU_AVOID_512);
    assert_true(cpu.l1d_bytes > 0 && cpu.l2_bytes > 0 && cpu.l3_bytes > 0);
}

static void test_nehalem(void **state)
{
    (void)state;
    const machine m = MACHINE(nehalem);
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, 0xe7);
    assert_int_equal(cpu.isa, TN_ISA_REF);
}

static void test_no_leaves(void **state)
{
    (void)state;
    const machine m = {NULL, 0};
    tni_cpu cpu;
    tni_cpu_decode_x86(&cpu, replay, &m, UINT64_MAX);
    assert_int_equal(cpu.isa, TN_ISA_REF);
    assert_int_equal(cpu.l1d_bytes, 32 * 1024);
}

static void test_aarch64(void **state)
{
    (void)state;
    tni_cpu cpu;
    tni_cpu_decode_aarch64(&cpu, 0);
    assert_int_equal(cpu.isa, TN_ISA_REF);
    tni_cpu_decode_aarch64(&cpu, 1u << 1);
    assert_int_equal(cpu.isa, TN_ISA_NEON);
    tni_cpu_decode_aarch64(&cpu, 1u << 1 | 1u << 20 | 1u << 9 | 1u << 10);
    assert_int_equal(cpu.isa, TN_ISA_NEON | TN_ISA_NEON_DOT | TN_ISA_NEON_FP16);
}

/* Whatever the mask, every function is there and stays within the mask. */
static void test_init(void **state)
{
    (void)state;
    const uint32_t masks[] = {0, TN_ISA_AVX2, TN_ISA_AVX2 | TN_ISA_AVX512,
                              TN_ISA_NEON, UINT32_MAX};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        tni_kernels k;
        tni_kernels_init(&k, masks[i]);
        assert_int_equal(k.isa, masks[i] & tn_cpu_isa());
        for (int op = 0; op < TNI_N_UNARY; op++)
            assert_non_null(k.unary.f32[op]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_icelake), cmocka_unit_test(test_state_not_saved),
        cmocka_unit_test(test_zen3),    cmocka_unit_test(test_skylake_sp),
        cmocka_unit_test(test_nehalem), cmocka_unit_test(test_no_leaves),
        cmocka_unit_test(test_aarch64), cmocka_unit_test(test_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
