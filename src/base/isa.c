/* SPDX-License-Identifier: Apache-2.0 */
/* isa.c - names of the CPU feature bundles */
#include "base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A name, its own bit, and the mask a user means by it. */
static const struct {
    const char *name;
    uint32_t bit, mask;
} bundles[] = {
    {"avx2", TN_ISA_AVX2, TN_ISA_AVX2},
    {"avxvnni", TN_ISA_AVXVNNI, TN_ISA_AVX2 | TN_ISA_AVXVNNI},
    {"avx512", TN_ISA_AVX512, TN_ISA_AVX2 | TN_ISA_AVXVNNI | TN_ISA_AVX512},
    {"avx512vnni", TN_ISA_AVX512_VNNI,
     TN_ISA_AVX2 | TN_ISA_AVXVNNI | TN_ISA_AVX512 | TN_ISA_AVX512_VNNI},
    {"avx512bf16", TN_ISA_AVX512_BF16,
     TN_ISA_AVX2 | TN_ISA_AVXVNNI | TN_ISA_AVX512 | TN_ISA_AVX512_VNNI |
         TN_ISA_AVX512_BF16},
    {"neon", TN_ISA_NEON, TN_ISA_NEON},
    {"neondot", TN_ISA_NEON_DOT, TN_ISA_NEON | TN_ISA_NEON_DOT},
    {"neonfp16", TN_ISA_NEON_FP16, TN_ISA_NEON | TN_ISA_NEON_FP16},
};
enum { n_bundles = sizeof bundles / sizeof bundles[0] };

static bool parse_one(uint32_t *mask, const char *text, size_t len)
{
    if (len == 3 && memcmp(text, "ref", 3) == 0) return true;
    if (len == 6 && memcmp(text, "native", 6) == 0) {
        *mask |= UINT32_MAX;
        return true;
    }
    for (int i = 0; i < n_bundles; i++) {
        if (strlen(bundles[i].name) == len &&
            memcmp(bundles[i].name, text, len) == 0) {
            *mask |= bundles[i].mask;
            return true;
        }
    }
    return false;
}

tn_status tn_isa_parse(uint32_t *mask, const char *text, tn_err *err)
{
    tni_err_clear(err);
    uint32_t found = 0;
    const char *p = text;
    for (;;) {
        const size_t len = strcspn(p, ",");
        if (!parse_one(&found, p, len))
            return tni_fail(err, TN_EINVAL,
                            "unknown CPU bundle '%.*s'; known: ref, native, "
                            "avx2, avxvnni, avx512, avx512vnni, avx512bf16, "
                            "neon, neondot, neonfp16",
                            (int)(len < 40 ? len : 40), p);
        p += len;
        if (*p == '\0') break;
        p++;
    }
    *mask = found;
    return TN_OK;
}

void tn_isa_format(char *buf, size_t size, uint32_t mask)
{
    if (size == 0) return;
    size_t used = 0;
    buf[0] = '\0';
    for (int i = 0; i < n_bundles; i++) {
        if ((mask & bundles[i].bit) == 0) continue;
        const int n = snprintf(buf + used, size - used, "%s%s",
                               used != 0 ? "," : "", bundles[i].name);
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
    }
    if (used == 0) (void)snprintf(buf, size, "ref");
}
