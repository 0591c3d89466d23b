/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c - what this build knows */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct kind {
    const char *name;
    tn_registry_kind kind;
    size_t (*count)(tn_registry_kind kind);
    const char *(*row)(tn_registry_kind kind, size_t i);
    size_t (*describe)(tn_registry_kind kind, size_t i, char *buf, size_t size);
} kind;

#define RUNTIME tn_registry_count, tn_registry_name, tn_registry_describe
#define DATA                                                                   \
    tn_data_registry_count, tn_data_registry_name, tn_data_registry_describe

static const kind kinds[] = {
    {"ops", TN_REGISTRY_OPS, RUNTIME},
    {"kernels", TN_REGISTRY_KERNELS, RUNTIME},
    {"passes", TN_REGISTRY_PASSES, RUNTIME},
#if defined(CLI_DATA)
    {"codecs", TN_REGISTRY_CODECS, DATA},
    {"formats", TN_REGISTRY_FORMATS, DATA},
#define KINDS "ops, kernels, passes, codecs, formats, commands"
#else
#define KINDS "ops, kernels, passes, commands"
#endif
};
enum { N_KINDS = (int)(sizeof kinds / sizeof kinds[0]) };

static void list_commands(bool json)
{
    cli_json j;
    cli_json_init(&j, stdout);
    if (json) cli_json_open(&j, NULL, '[');
    for (int i = 0; i < cli_n_commands; i++) {
        if (!json) {
            printf("%-10s %s\n", cli_commands[i]->name,
                   cli_commands[i]->summary);
            continue;
        }
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "name", cli_commands[i]->name);
        cli_json_string(&j, "summary", cli_commands[i]->summary);
        cli_json_close(&j, '}');
    }
    if (json) {
        cli_json_close(&j, ']');
        cli_json_end(&j);
    }
}

static void list_rows(const kind *k, bool json)
{
    const size_t n = k->count(k->kind);
    if (json) putchar('[');
    for (size_t i = 0; i < n; i++) {
        if (!json) {
            printf("%s\n", k->row(k->kind, i));
            continue;
        }
        const size_t len = k->describe(k->kind, i, NULL, 0);
        char *text = cli_alloc(len + 1);
        (void)k->describe(k->kind, i, text, len + 1);
        printf("%s%s", i != 0 ? ",\n " : "", text);
        free(text);
    }
    if (json) puts("]");
}

static int run(cli *c)
{
    const char *what = c->args[0];
    if (strcmp(what, "commands") == 0) {
        list_commands(c->json);
        return CLI_OK;
    }
    for (int i = 0; i < N_KINDS; i++) {
        if (strcmp(what, kinds[i].name) != 0) continue;
        list_rows(&kinds[i], c->json);
        return CLI_OK;
    }
    const char *names[N_KINDS + 1];
    for (int i = 0; i < N_KINDS; i++) names[i] = kinds[i].name;
    names[N_KINDS] = "commands";
    const char *near = cli_nearest(what, names, N_KINDS + 1);
    if (near != NULL)
        cli_error("list: unknown kind '%s'; did you mean '%s'?", what, near);
    else
        cli_error("list: unknown kind '%s'; known: " KINDS, what);
    return CLI_USAGE;
}

const cli_command cli_cmd_list = {
    .name = "list",
    .group = "About",
    .summary = "operators, kernels, passes or commands of this build",
    .usage = "KIND [--json]",
    .details = "KIND is one of " KINDS ".\n"
               "With --json every row is described: versions, inputs, "
               "attributes, instruction set.\n",
    .examples = "  tenon list ops\n  tenon list kernels --json\n",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
