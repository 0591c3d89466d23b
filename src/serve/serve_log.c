/* SPDX-License-Identifier: Apache-2.0 */
/* serve_log.c - records of the server for a tn_logger */
#include "serve/serve_log.h"

#include <stdarg.h>
#include <stdio.h>

void tni_serve_log(const tn_logger *logger, tn_log_level level,
                   const char *event, const char *fmt, ...)
{
    if (logger == NULL || logger->write == NULL || level > logger->level)
        return;
    char fields[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(fields, sizeof fields, fmt, args);
    va_end(args);
    logger->write(logger->ctx, level, event, fields);
}
