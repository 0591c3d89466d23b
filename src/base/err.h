/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - filling a caller's tn_err and forwarding a status */
#ifndef TN_SRC_BASE_ERR_H
#define TN_SRC_BASE_ERR_H

#include "base/config.h"
#include "tenon/base.h"

/* Records code and message, keeps an already set `where`; returns code. */
tn_status tni_fail(tn_err *err, tn_status code, const char *fmt, ...)
    TN_PRINTF(3, 4);

/* As tni_fail, and notes the byte offset the failure was found at. */
tn_status tni_fail_at(tn_err *err, tn_status code, uint64_t offset,
                      const char *fmt, ...) TN_PRINTF(4, 5);

/* Prefixes err->where: the caller adds its own place in front, "file: ". */
void tni_err_where(tn_err *err, const char *fmt, ...) TN_PRINTF(2, 3);

void tni_err_clear(tn_err *err);

#define TN_TRY(expr)                                                           \
    do {                                                                       \
        const tn_status tn_try_status_ = (expr);                               \
        if (TN_UNLIKELY(tn_try_status_ != TN_OK)) return tn_try_status_;       \
    } while (0)

#ifdef NDEBUG
#define TN_ASSERT(x) ((void)0)
#else
#include <assert.h>
#define TN_ASSERT(x) assert(x)
#endif

/* A condition believed impossible that release builds still survive. */
#ifdef NDEBUG
#define TN_NEVER(x)  TN_UNLIKELY(x)
#define TN_ALWAYS(x) TN_LIKELY(x)
#else
#define TN_NEVER(x)  ((x) ? (TN_ASSERT(0 && "TN_NEVER"), 1) : 0)
#define TN_ALWAYS(x) ((x) ? 1 : (TN_ASSERT(0 && "TN_ALWAYS"), 0))
#endif

#endif
