/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - measure what one core can do */
#include "base/alloc.h"
#include "kernels/peak/peak.h"
#include "sys/clock.h"

#include <string.h>

enum { ROUNDS = 20000, TRIES = 40, COPY_BYTES = 32 << 20, COPIES = 3 };

void tn_cpu_measure_peak(tn_machine_peak *peak)
{
    peak->gflops = peak->gbytes = 0.0;
    int width = 1;
    const tni_peak_fn fn = tni_peak_select(tn_cpu_isa(), &width);
    float out[192];
    for (int i = 0; i < TRIES; i++) {
        const uint64_t start = tni_clock_ns();
        fn(out, ROUNDS);
        const uint64_t ns = tni_clock_ns() - start;
        const double flops = 2.0 * 12.0 * ROUNDS * (double)width;
        if (ns > 0 && flops / (double)ns > peak->gflops)
            peak->gflops = flops / (double)ns;
    }
    uint8_t *block = tni_libc_allocator.alloc(NULL, 2 * (size_t)COPY_BYTES,
                                              TNI_ALIGN);
    if (block == NULL) return;
    memset(block, 1, 2 * (size_t)COPY_BYTES);
    for (int i = 0; i < COPIES; i++) {
        const uint64_t start = tni_clock_ns();
        memcpy(block, block + COPY_BYTES, COPY_BYTES);
        const uint64_t ns = tni_clock_ns() - start;
        /* Read the copy so that it cannot be left out. */
        volatile uint8_t sink = block[(size_t)i * 4096];
        (void)sink;
        const double bytes = 2.0 * COPY_BYTES;
        if (ns > 0 && bytes / (double)ns > peak->gbytes)
            peak->gbytes = bytes / (double)ns;
    }
    tni_libc_allocator.free(NULL, block, 2 * (size_t)COPY_BYTES, TNI_ALIGN);
}
