/* SPDX-License-Identifier: Apache-2.0 */
/* serve_opts.h - what `tenon serve` was asked for, by flags or environment */
#ifndef TENON_CLI_SERVE_OPTS_H
#define TENON_CLI_SERVE_OPTS_H

#include "serve_records.h"
#include "tenon/server.h"

enum { SERVE_TOKENS = 3, SERVE_TOKEN_SIZE = 1026 };

typedef struct serve_opts {
    tn_server_opts server;
    const char *port_file; /* NULL: none */
    bool check;
    bool level_given; /* --log-level */
    bool log_json;
    tn_log_level level;
    /* What server points to. */
    tn_logger logger;
    char **names;
    const char **paths, **load;
    char *load_text;
    char tokens[SERVE_TOKENS][SERVE_TOKEN_SIZE];
} serve_opts;

enum { SERVE_N_OPTIONS = 39 };
extern const cli_option serve_option_table[SERVE_N_OPTIONS];

/* Adds TENON_SERVE_… of the environment where a flag is not given, and reads
 * all of it; CLI_OK or the exit code, with a message. */
int serve_opts_read(serve_opts *o, cli *c);
void serve_opts_release(serve_opts *o);

#endif
