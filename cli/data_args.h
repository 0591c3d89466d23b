/* SPDX-License-Identifier: Apache-2.0 */
/* data_args.h - what commands about datasets have in common */
#ifndef TENON_CLI_DATA_ARGS_H
#define TENON_CLI_DATA_ARGS_H

#include "cli.h"

#define DATA_OPTIONS                                                           \
    {"from", 0, "FORMAT[:VARIANT]", "format of the dataset, \"yolo:obb\"",     \
     false},                                                                   \
        {"image-dir", 0, "DIR", "where its images are", false},                \
    {                                                                          \
        "threads", 0, "N", "threads (0: one for each processor)", false        \
    }

/* "yolo:obb" to its two parts, copied into buf; variant NULL without one. */
void data_split_format(char *buf, size_t size, const char *text,
                       const char **format, const char **variant);

/* Opens the dataset as the options say; prints what is wrong. */
int data_open(tn_dataset **d, const cli *c, const char *path);

/* A line on the terminal that says how far it is; nothing elsewhere. Returns
 * nonzero after Ctrl-C. */
void data_progress_begin(const cli *c);
int data_progress(void *ctx, const char *stage, uint64_t done, uint64_t total);
void data_progress_end(const cli *c);

/* Prints notes as text on stderr, or as the list "notes". */
void data_notes(const tn_dataset *d, cli_json *j);

#endif
