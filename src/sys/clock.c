/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - monotonic time, and the time of day */
#define _POSIX_C_SOURCE 200809L
#include "sys/clock.h"

#include <time.h>

uint64_t tni_clock_ns(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t tni_clock_epoch_ms(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}
