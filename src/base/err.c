/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - filling a caller's tn_err */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(tn_err) == 512, "tn_err is 512 bytes for ever");

const char *tn_status_name(tn_status status)
{
    static const char *const names[] = {
        "OK",       "EINVAL",    "ENOMEM", "EIO",       "EFORMAT",  "EUNSUPPORTED",
        "ELIMIT",   "ENOTFOUND", "EBUSY",  "ECANCELED", "ETIMEOUT", "EINTERNAL",
    };
    const unsigned i = (unsigned)status;
    return i < sizeof names / sizeof names[0] ? names[i] : "UNKNOWN";
}

const char *tn_version(void)
{
    return TN_VERSION_STRING;
}

TN_PRINTF(4, 0)
static void fill(tn_err *err, tn_status code, uint64_t offset, const char *fmt,
                 va_list args)
{
    err->code = code;
    err->offset = offset;
    (void)vsnprintf(err->message, sizeof err->message, fmt, args);
}

tn_status tni_fail(tn_err *err, tn_status code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, err->offset, fmt, args);
        va_end(args);
    }
    return code;
}

tn_status tni_fail_at(tn_err *err, tn_status code, uint64_t offset,
                      const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        fill(err, code, offset, fmt, args);
        va_end(args);
    }
    return code;
}

void tni_err_where(tn_err *err, const char *fmt, ...)
{
    if (err == NULL) return;
    char old[sizeof err->where];
    memcpy(old, err->where, sizeof old);
    old[sizeof old - 1] = '\0';
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->where, sizeof err->where, fmt, args);
    va_end(args);
    if (n < 0) n = 0;
    size_t used = (size_t)n;
    if (used >= sizeof err->where) used = sizeof err->where - 1;
    /* Truncation is fine here, and said so: no warning about it. */
    const char *parts[2] = {old[0] != '\0' && used > 0 ? ": " : "", old};
    for (int i = 0; i < 2; i++)
        for (const char *p = parts[i]; *p != '\0'; p++)
            if (used + 1 < sizeof err->where) err->where[used++] = *p;
    err->where[used] = '\0';
}

void tni_err_clear(tn_err *err)
{
    if (err == NULL) return;
    memset(err, 0, sizeof *err);
}
