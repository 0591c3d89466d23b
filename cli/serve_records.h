/* SPDX-License-Identifier: Apache-2.0 */
/* serve_records.h - the server's log on stderr, as text or lines of JSON */
#ifndef TENON_CLI_SERVE_RECORDS_H
#define TENON_CLI_SERVE_RECORDS_H

#include "cli.h"

typedef struct serve_log {
    FILE *file;
    bool json;
    /* The start is told in another way: nothing of single models. */
    bool starting;
} serve_log;

/* A tn_logger's write; ctx is a serve_log. Whatever the fields hold, it writes
 * one line. */
void serve_log_write(void *ctx, tn_log_level level, const char *event,
                     const char *fields);
/* False when it is the name of no level. */
bool serve_log_level(const char *name, tn_log_level *out);

#endif
