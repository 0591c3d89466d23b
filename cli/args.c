/* SPDX-License-Identifier: Apache-2.0 */
/* args.c - options and positional arguments from tables */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option common[] = {
    {"json", 0, NULL, "print one JSON object for machines", false},
    {"help", 'h', NULL, "print this help", false},
};
enum { N_COMMON = (int)(sizeof common / sizeof common[0]) };

static const cli_option *option_at(const cli_command *command, int i)
{
    return i < command->n_options ? &command->options[i]
                                  : &common[i - command->n_options];
}

static const cli_option *find_option(const cli_command *command,
                                     const char *name, size_t len)
{
    for (int i = 0; i < command->n_options + N_COMMON; i++) {
        const cli_option *o = option_at(command, i);
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) return o;
    }
    return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter)
{
    for (int i = 0; i < command->n_options + N_COMMON; i++)
        if (option_at(command, i)->letter == letter)
            return option_at(command, i);
    return NULL;
}

static int unknown_option(const cli_command *command, const char *text)
{
    const int n = command->n_options + N_COMMON;
    const char **names = cli_alloc((size_t)n * sizeof *names);
    for (int i = 0; i < n; i++) names[i] = option_at(command, i)->name;
    const char *near = cli_nearest(text + strspn(text, "-"), names, (size_t)n);
    if (near != NULL)
        cli_error("%s: unknown option '%s'; did you mean '--%s'?",
                  command->name, text, near);
    else
        cli_error("%s: unknown option '%s'; see 'tenon %s --help'",
                  command->name, text, command->name);
    free(names);
    return CLI_USAGE;
}

static int add_given(cli *c, const cli_option *option, const char *value)
{
    for (int i = 0; i < c->n_given; i++) {
        if (c->given[i].option != option || option->many ||
            option->arg == NULL)
            continue;
        cli_error("%s: option '--%s' is given twice", c->command->name,
                  option->name);
        return CLI_USAGE;
    }
    c->given[c->n_given].option = option;
    c->given[c->n_given].value = value;
    c->n_given++;
    return CLI_OK;
}

/* One argument that begins with '-'; *i moves past a value it takes. */
static int parse_option(cli *c, int *i, int n, char **argv)
{
    const char *text = argv[*i], *value = NULL;
    const cli_option *o;
    if (text[1] == '-') {
        const char *eq = strchr(text, '=');
        const size_t len =
            eq != NULL ? (size_t)(eq - text) - 2 : strlen(text) - 2;
        o = find_option(c->command, text + 2, len);
        if (eq != NULL) value = eq + 1;
    } else {
        o = find_letter(c->command, text[1]);
        if (text[2] != '\0') value = text + 2;
    }
    if (o == NULL) return unknown_option(c->command, text);
    if (o->arg == NULL) {
        if (value != NULL) {
            cli_error("%s: option '--%s' takes no value", c->command->name,
                      o->name);
            return CLI_USAGE;
        }
        return add_given(c, o, NULL);
    }
    if (value == NULL) {
        if (*i + 1 >= n) {
            cli_error("%s: option '--%s' needs %s", c->command->name, o->name,
                      o->arg);
            return CLI_USAGE;
        }
        value = argv[++*i];
    }
    return add_given(c, o, value);
}

int cli_parse(cli *c, const cli_command *command, int n, char **argv)
{
    c->command = command;
    c->args = cli_alloc(((size_t)n + 1) * sizeof *c->args);
    c->given = cli_alloc(((size_t)n + 1) * sizeof *c->given);
    bool options = true;
    for (int i = 0; i < n; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            const int code = parse_option(c, &i, n, argv);
            if (code != CLI_OK) return code;
        } else {
            c->args[c->n_args++] = argv[i];
        }
    }
    if (cli_has(c, "help")) {
        cli_help(command);
        return -1;
    }
    c->json = cli_has(c, "json");
    if (c->n_args < command->min_args ||
        (command->max_args >= 0 && c->n_args > command->max_args)) {
        cli_error("usage: tenon %s %s", command->name, command->usage);
        if (c->n_args > command->max_args && command->max_args >= 0)
            cli_error("'%s' is one argument too many",
                      c->args[command->max_args]);
        return CLI_USAGE;
    }
    return CLI_OK;
}

void cli_release(cli *c)
{
    free(c->args);
    free(c->given);
    c->args = NULL;
    c->given = NULL;
}

const char *cli_get_nth(const cli *c, const char *option, int k)
{
    for (int i = 0; i < c->n_given; i++)
        if (strcmp(c->given[i].option->name, option) == 0 && k-- == 0)
            return c->given[i].value != NULL ? c->given[i].value : "";
    return NULL;
}

bool cli_has(const cli *c, const char *option)
{
    return cli_get_nth(c, option, 0) != NULL;
}

const char *cli_get(const cli *c, const char *option, const char *absent)
{
    const char *value = cli_get_nth(c, option, 0);
    return value != NULL ? value : absent;
}

bool cli_get_long(const cli *c, const char *option, long absent, long min,
                  long max, long *out)
{
    const char *text = cli_get(c, option, NULL);
    *out = absent;
    if (text == NULL) return true;
    char *end = NULL;
    errno = 0;
    const long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < min || v > max) {
        cli_error("%s: --%s is '%s', expected a number from %ld to %ld",
                  c->command->name, option, text, min, max);
        return false;
    }
    *out = v;
    return true;
}

bool cli_get_double(const cli *c, const char *option, double absent,
                    double min, double *out)
{
    const char *text = cli_get(c, option, NULL);
    *out = absent;
    if (text == NULL) return true;
    char *end = NULL;
    const double v = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(v) || v < min) {
        cli_error("%s: --%s is '%s', expected a number of at least %g",
                  c->command->name, option, text, min);
        return false;
    }
    *out = v;
    return true;
}

void cli_help(const cli_command *command)
{
    printf("tenon %s - %s\n\nusage: tenon %s %s\n", command->name,
           command->summary, command->name, command->usage);
    if (command->details[0] != '\0') printf("\n%s", command->details);
    printf("\noptions:\n");
    for (int i = 0; i < command->n_options + N_COMMON; i++) {
        const cli_option *o = option_at(command, i);
        char left[64];
        if (o->letter != 0)
            (void)snprintf(left, sizeof left, "-%c, --%s%s%s", o->letter,
                           o->name, o->arg != NULL ? " " : "",
                           o->arg != NULL ? o->arg : "");
        else
            (void)snprintf(left, sizeof left, "    --%s%s%s", o->name,
                           o->arg != NULL ? " " : "",
                           o->arg != NULL ? o->arg : "");
        printf("  %-24s %s\n", left, o->help);
    }
    printf("\nexamples:\n%s", command->examples);
}
