/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - monotonic time, and the time of day */
#ifndef TN_SRC_SYS_CLOCK_H
#define TN_SRC_SYS_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some fixed point; never goes back. */
uint64_t tni_clock_ns(void);
/* Milliseconds of the Unix epoch. */
uint64_t tni_clock_epoch_ms(void);

#endif
