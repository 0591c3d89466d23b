/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - what every command gets: parsed arguments, output, errors
 *
 * The command is a client of include/tenon and nothing else. Results go to
 * stdout, everything else to stderr.
 */
#ifndef TENON_CLI_H
#define TENON_CLI_H

#include "tenon/tenon.h"

#include <stdbool.h>
#include <stdio.h>

enum {
    CLI_OK = 0,    /* done and clean */
    CLI_FOUND = 1, /* done, and it found something */
    CLI_USAGE = 2, /* wrong usage */
    CLI_INPUT = 3  /* input unreadable or unsupported */
};

typedef struct cli_option {
    const char *name; /* without dashes */
    char letter;      /* 'o' for -o; 0 for none */
    const char *arg;  /* "FILE"; NULL for a flag */
    const char *help;
    bool many; /* may be given more than once */
} cli_option;

typedef struct cli cli;

typedef struct cli_command {
    const char *name, *group, *summary;
    const char *usage;    /* after "tenon name " */
    const char *details;  /* paragraphs after the usage, or "" */
    const char *examples; /* two, worked */
    const cli_option *options;
    int n_options;
    int min_args, max_args; /* positional; max -1: any */
    int (*run)(cli *c);
} cli_command;

#define CLI_OPTIONS(a) .options = (a), .n_options = (int)(sizeof(a) / sizeof(a[0]))

typedef struct cli_given {
    const cli_option *option;
    const char *value; /* NULL for a flag */
} cli_given;

struct cli {
    const cli_command *command;
    const char **args; /* positional */
    int n_args;
    cli_given *given;
    int n_given;
    bool json;   /* --json */
    bool colour; /* stdout is a terminal and NO_COLOR is not set */
    bool tty;    /* stderr is a terminal: progress may be shown */
};

#define TN_COMMAND(name) extern const cli_command cli_cmd_##name;
#include "commands.def"
#undef TN_COMMAND

extern const cli_command *const cli_commands[];
extern const int cli_n_commands;

/* --- arguments --------------------------------------------------------- */

/* Fills c from argv[0 … n); prints what is wrong. CLI_OK, CLI_USAGE, or -1
 * when help was asked for and printed. */
int cli_parse(cli *c, const cli_command *command, int n, char **argv);
void cli_release(cli *c);
bool cli_has(const cli *c, const char *option);
/* The last value given, or `absent`. */
const char *cli_get(const cli *c, const char *option, const char *absent);
/* False and a message on stderr when the value is not a number in range. */
bool cli_get_long(const cli *c, const char *option, long absent, long min,
                  long max, long *out);
bool cli_get_double(const cli *c, const char *option, double absent,
                    double min, double *out);
/* Value k of an option that may be given more than once, NULL past the end. */
const char *cli_get_nth(const cli *c, const char *option, int k);

void cli_help(const cli_command *command);
const cli_command *cli_find_command(const char *name);

/* --- messages ---------------------------------------------------------- */

/* "tenon: …" on stderr. */
void cli_error(const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;
/* Prints err and returns the exit code that goes with it. */
int cli_fail(const tn_err *err);
/* The candidate nearest to `word` by edit distance, NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *candidates,
                        size_t n);

/* --- text -------------------------------------------------------------- */

/* "12.3 MB" into buf; returns buf. */
char *cli_bytes(char *buf, size_t size, double bytes);
/* "0.42 ms" into buf; returns buf. */
char *cli_time(char *buf, size_t size, double ns);
/* memory of the C library, or the message and exit(3). */
void *cli_alloc(size_t size);
void *cli_realloc(void *ptr, size_t size);
uint64_t cli_now_ns(void);
/* Largest resident size of this process so far, 0 when not known. */
uint64_t cli_peak_rss(void);

/* --- JSON -------------------------------------------------------------- */

/* A writer that knows where commas go. Keys are NULL inside arrays. */
typedef struct cli_json {
    FILE *file;
    int depth;
    bool first[64];
} cli_json;

void cli_json_init(cli_json *j, FILE *file);
void cli_json_open(cli_json *j, const char *key, char bracket);
void cli_json_close(cli_json *j, char bracket);
void cli_json_string(cli_json *j, const char *key, const char *value);
void cli_json_bytes(cli_json *j, const char *key, const char *value,
                    size_t len);
void cli_json_number(cli_json *j, const char *key, double value);
void cli_json_int(cli_json *j, const char *key, int64_t value);
void cli_json_bool(cli_json *j, const char *key, bool value);
void cli_json_null(cli_json *j, const char *key);
/* Ends the document with a newline. */
void cli_json_end(cli_json *j);

#endif
