/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c - what this build knows */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    tn_registry_kind kind;
} kinds[] = {
    {"ops", TN_REGISTRY_OPS},
    {"kernels", TN_REGISTRY_KERNELS},
    {"passes", TN_REGISTRY_PASSES},
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

static void list_rows(tn_registry_kind kind, bool json)
{
    const size_t n = tn_registry_count(kind);
    if (json) putchar('[');
    for (size_t i = 0; i < n; i++) {
        if (!json) {
            printf("%s\n", tn_registry_name(kind, i));
            continue;
        }
        const size_t len = tn_registry_describe(kind, i, NULL, 0);
        char *text = cli_alloc(len + 1);
        (void)tn_registry_describe(kind, i, text, len + 1);
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
        list_rows(kinds[i].kind, c->json);
        return CLI_OK;
    }
    const char *names[N_KINDS + 1] = {"ops", "kernels", "passes", "commands"};
    const char *near = cli_nearest(what, names, N_KINDS + 1);
    if (near != NULL)
        cli_error("list: unknown kind '%s'; did you mean '%s'?", what, near);
    else
        cli_error("list: unknown kind '%s'; known: ops, kernels, passes, "
                  "commands",
                  what);
    return CLI_USAGE;
}

const cli_command cli_cmd_list = {
    .name = "list",
    .group = "About",
    .summary = "operators, kernels, passes or commands of this build",
    .usage = "ops|kernels|passes|commands [--json]",
    .details = "With --json every row is described: versions, inputs, "
               "attributes, instruction set.\n",
    .examples = "  tenon list ops\n  tenon list kernels --json\n",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
