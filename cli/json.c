/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - write JSON for machines */
#include "cli.h"

#include <math.h>
#include <string.h>

void cli_json_init(cli_json *j, FILE *file)
{
    j->file = file;
    j->depth = 0;
    j->first[0] = true;
}

static void put_text(FILE *f, const char *s, size_t len)
{
    fputc('"', f);
    for (size_t i = 0; i < len; i++) {
        const unsigned char ch = (unsigned char)s[i];
        if (ch == '"' || ch == '\\')
            fprintf(f, "\\%c", ch);
        else if (ch == '\n')
            fputs("\\n", f);
        else if (ch < 0x20 || ch == 0x7f)
            fprintf(f, "\\u%04x", ch);
        else
            fputc(ch, f);
    }
    fputc('"', f);
}

static void begin(cli_json *j, const char *key)
{
    if (!j->first[j->depth]) fputs(", ", j->file);
    j->first[j->depth] = false;
    if (key != NULL) {
        put_text(j->file, key, strlen(key));
        fputs(": ", j->file);
    }
}

void cli_json_open(cli_json *j, const char *key, char bracket)
{
    begin(j, key);
    fputc(bracket, j->file);
    if (j->depth < 63) j->depth++;
    j->first[j->depth] = true;
}

void cli_json_close(cli_json *j, char bracket)
{
    fputc(bracket, j->file);
    if (j->depth > 0) j->depth--;
}

void cli_json_string(cli_json *j, const char *key, const char *value)
{
    cli_json_bytes(j, key, value, strlen(value));
}

void cli_json_bytes(cli_json *j, const char *key, const char *value,
                    size_t len)
{
    begin(j, key);
    put_text(j->file, value, len);
}

void cli_json_number(cli_json *j, const char *key, double value)
{
    /* JSON has no infinities or NaN. */
    if (!isfinite(value)) {
        cli_json_string(j, key,
                        isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    begin(j, key);
    fprintf(j->file, "%.9g", value);
}

void cli_json_int(cli_json *j, const char *key, int64_t value)
{
    begin(j, key);
    fprintf(j->file, "%lld", (long long)value);
}

void cli_json_bool(cli_json *j, const char *key, bool value)
{
    begin(j, key);
    fputs(value ? "true" : "false", j->file);
}

void cli_json_null(cli_json *j, const char *key)
{
    begin(j, key);
    fputs("null", j->file);
}

void cli_json_end(cli_json *j)
{
    fputc('\n', j->file);
}
