/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - find the command, parse, run */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const cli_command *const cli_commands[] = {
#define TN_COMMAND(name) &cli_cmd_##name,
#include "commands.def"
#undef TN_COMMAND
};
const int cli_n_commands = (int)(sizeof cli_commands / sizeof cli_commands[0]);

const cli_command *cli_find_command(const char *name)
{
    for (int i = 0; i < cli_n_commands; i++)
        if (strcmp(cli_commands[i]->name, name) == 0) return cli_commands[i];
    return NULL;
}

static void overview(FILE *f)
{
    fprintf(f,
            "tenon %s - run exported models, prove they give Python's "
            "answers\n\nusage: tenon COMMAND [arguments]\n",
            tn_version());
    const char *group = "";
    for (int i = 0; i < cli_n_commands; i++) {
        const cli_command *c = cli_commands[i];
        if (strcmp(c->group, group) != 0) fprintf(f, "\n%s\n", c->group);
        group = c->group;
        fprintf(f, "  %-10s %s\n", c->name, c->summary);
    }
    fprintf(f,
            "\n'tenon COMMAND --help' explains a command with two worked "
            "examples.\nEvery command takes --json. Exit codes: 0 clean, 1 it "
            "found something,\n2 wrong usage, 3 input unreadable or "
            "unsupported.\n");
}

static int unknown_command(const char *name)
{
    const char **names = cli_alloc((size_t)cli_n_commands * sizeof *names);
    for (int i = 0; i < cli_n_commands; i++) names[i] = cli_commands[i]->name;
    const char *near = cli_nearest(name, names, (size_t)cli_n_commands);
    if (near != NULL)
        cli_error("unknown command '%s'; did you mean '%s'?", name, near);
    else
        cli_error("unknown command '%s'; 'tenon help' lists them", name);
    free(names);
    return CLI_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 3) {
        overview(stdout);
        return CLI_OK;
    }
    const cli_command *command = cli_find_command(argv[2]);
    if (command == NULL) return unknown_command(argv[2]);
    cli_help(command);
    return CLI_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        overview(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
        strcmp(name, "-h") == 0)
        return help(argc, argv);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    const cli_command *command = cli_find_command(name);
    if (command == NULL) return unknown_command(name);
    cli c;
    memset(&c, 0, sizeof c);
    const char *no_colour = getenv("NO_COLOR");
    c.colour = isatty(STDOUT_FILENO) != 0 &&
               (no_colour == NULL || no_colour[0] == '\0');
    c.tty = isatty(STDERR_FILENO) != 0;
    int code = cli_parse(&c, command, argc - 2, argv + 2);
    if (code == CLI_OK) code = command->run(&c);
    if (code < 0) code = CLI_OK;
    cli_release(&c);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        cli_error("stdout could not be written");
        if (code == CLI_OK) code = CLI_INPUT;
    }
    return code;
}
