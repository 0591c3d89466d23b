/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c - build and CPU facts */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static int run(cli *c)
{
    char found[128], used[128];
    tn_err err;
    memset(&err, 0, sizeof err);
    const uint32_t have = tn_cpu_isa();
    uint32_t mask = TN_ISA_NATIVE;
    const char *env = getenv("TN_CPU");
    if (env != NULL && env[0] != '\0' &&
        tn_isa_parse(&mask, env, &err) != TN_OK) {
        cli_error("TN_CPU: %s", err.message);
        return CLI_USAGE;
    }
    tn_isa_format(found, sizeof found, have);
    tn_isa_format(used, sizeof used, have & mask);
#if defined(__clang__)
    const char *compiler = "clang " __clang_version__;
#else
    const char *compiler = "gcc " __VERSION__;
#endif
    if (c->json) {
        cli_json j;
        cli_json_init(&j, stdout);
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "version", tn_version());
        cli_json_string(&j, "compiler", compiler);
        cli_json_string(&j, "cpu_found", found);
        cli_json_string(&j, "cpu_used", used);
        cli_json_close(&j, '}');
        cli_json_end(&j);
        return CLI_OK;
    }
    printf("tenon %s\ncompiler   %s\nCPU found  %s\nCPU used   %s\n",
           tn_version(), compiler, found, used);
    return CLI_OK;
}

const cli_command cli_cmd_version = {
    .name = "version",
    .group = "About",
    .summary = "build, CPU features found and used",
    .usage = "[--json]",
    .details = "TN_CPU=ref|avx2|avx512|neon in the environment restricts the "
               "kernels chosen.\n",
    .examples = "  tenon version\n  TN_CPU=avx2 tenon version --json\n",
    .max_args = 0,
    .run = run,
};
