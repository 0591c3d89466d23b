/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_records.c - the server's log on stderr, as text or lines of JSON
 *
 * A record's fields are key=value or key="value"; a quoted value ends where
 * the record does or another key begins. Text may come from clients: what is
 * no printable ASCII is written as an escape, so one record is one line.
 */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1
#endif
#include "serve_records.h"

#include <string.h>
#include <time.h>

static const char *const level_names[] = {"error", "warn", "info", "debug",
                                          "trace"};
enum { N_LEVELS = (int)(sizeof level_names / sizeof level_names[0]) };

bool serve_log_level(const char *name, tn_log_level *out)
{
    for (int i = 0; i < N_LEVELS; i++)
        if (strcmp(name, level_names[i]) == 0) {
            *out = (tn_log_level)i;
            return true;
        }
    return false;
}

static void write_time(FILE *f)
{
    struct timespec t;
    struct tm day;
    char text[32];
    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (gmtime_r(&t.tv_sec, &day) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &day) == 0)
        text[0] = '\0';
    fprintf(f, "%s.%03dZ", text, (int)(t.tv_nsec / 1000000));
}

/* Bytes as they may stand in a line, or in a string of JSON. */
static void write_escaped(FILE *f, const char *p, size_t n, bool json)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)p[i];
        if (json && (c == '"' || c == '\\'))
            fprintf(f, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            fputc(c, f);
        else
            fprintf(f, json ? "\\u%04x" : "\\x%02x", c);
    }
}

static size_t key_length(const char *p)
{
    size_t n = 0;
    while ((p[n] >= 'a' && p[n] <= 'z') || p[n] == '_' ||
           (n > 0 && p[n] >= '0' && p[n] <= '9'))
        n++;
    return n > 0 && p[n] == '=' ? n : 0;
}

/* Whether the field that `p` stands behind ends there. */
static bool is_end(const char *p)
{
    return *p == '\0' || (*p == ' ' && key_length(p + 1) > 0);
}

static void write_json_fields(FILE *f, const char *p)
{
    size_t n = 0;
    while (*p == ' ') p++;
    while ((n = key_length(p)) > 0) {
        fprintf(f, ",\"%.*s\":\"", (int)n, p);
        p += n + 1;
        const char *end = p;
        if (*p == '"') {
            end = ++p;
            while (*end != '\0' && !(*end == '"' && is_end(end + 1))) end++;
        } else {
            while (!is_end(end)) end++;
        }
        write_escaped(f, p, (size_t)(end - p), true);
        fputc('"', f);
        p = *end == '"' ? end + 1 : end;
        while (*p == ' ') p++;
    }
    if (*p == '\0') return;
    fputs(",\"message\":\"", f);
    write_escaped(f, p, strlen(p), true);
    fputc('"', f);
}

void serve_log_write(void *ctx, tn_log_level level, const char *event,
                     const char *fields)
{
    const serve_log *log = ctx;
    const char *name =
        (int)level >= 0 && (int)level < N_LEVELS ? level_names[level] : "info";
    if (log->starting && (strcmp(event, "model.ready") == 0 ||
                          strcmp(event, "model.failed") == 0))
        return;
    FILE *f = log->file;
    if (log->json) {
        fputs("{\"time\":\"", f);
        write_time(f);
        fprintf(f, "\",\"level\":\"%s\",\"event\":\"%s\"", name, event);
        write_json_fields(f, fields);
        fputs("}\n", f);
    } else {
        write_time(f);
        fprintf(f, " %-5s %s ", name, event);
        write_escaped(f, fields, strlen(fields), false);
        fputc('\n', f);
    }
    (void)fflush(f);
}
