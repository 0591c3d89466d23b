/* SPDX-License-Identifier: Apache-2.0 */
/* util.c - messages, suggestions, sizes and times */
#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1
#endif
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void cli_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)fflush(stdout);
    fputs("tenon: ", stderr);
    (void)vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

int cli_fail(const tn_err *err)
{
    char at[64] = "";
    if (err->offset != 0)
        (void)snprintf(at, sizeof at, " (byte %llu)",
                       (unsigned long long)err->offset);
    else if (err->line != 0)
        (void)snprintf(at, sizeof at, " (line %d)", (int)err->line);
    cli_error("%s%s%s%s", err->where, err->where[0] != '\0' ? ": " : "",
              err->message[0] != '\0' ? err->message
                                      : tn_status_name(err->code),
              at);
    return CLI_INPUT;
}

static size_t edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    if (n > 200 || m > 200) return SIZE_MAX;
    size_t row[201];
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t up = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            if (up + 1 < best) best = up + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[m];
}

const char *cli_nearest(const char *word, const char *const *candidates,
                        size_t n)
{
    const char *best = NULL;
    size_t best_distance = strlen(word) / 2 + 1;
    for (size_t i = 0; i < n; i++) {
        const size_t d = edit_distance(word, candidates[i]);
        if (d < best_distance) {
            best_distance = d;
            best = candidates[i];
        }
    }
    return best;
}

char *cli_bytes(char *buf, size_t size, double bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int u = 0;
    while (bytes >= 1000.0 && u < 4) {
        bytes /= 1000.0;
        u++;
    }
    (void)snprintf(buf, size, u == 0 ? "%.0f %s" : "%.2f %s", bytes, units[u]);
    return buf;
}

char *cli_time(char *buf, size_t size, double ns)
{
    if (ns < 1e3)
        (void)snprintf(buf, size, "%.0f ns", ns);
    else if (ns < 1e6)
        (void)snprintf(buf, size, "%.2f us", ns / 1e3);
    else if (ns < 1e9)
        (void)snprintf(buf, size, "%.2f ms", ns / 1e6);
    else
        (void)snprintf(buf, size, "%.2f s", ns / 1e9);
    return buf;
}

void *cli_alloc(size_t size)
{
    return cli_realloc(NULL, size);
}

void *cli_realloc(void *ptr, size_t size)
{
    void *p = realloc(ptr, size != 0 ? size : 1);
    if (p == NULL) {
        cli_error("out of memory");
        exit(CLI_INPUT);
    }
    if (ptr == NULL) memset(p, 0, size);
    return p;
}

uint64_t cli_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The high-water mark of this program. ru_maxrss is the fall-back only: Linux
 * keeps it over exec, so it can be that of a large parent (a Python script). */
uint64_t cli_peak_rss(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    if (f != NULL) {
        char line[256];
        unsigned long long kib = 0;
        while (kib == 0 && fgets(line, sizeof line, f) != NULL)
            if (sscanf(line, "VmHWM: %llu", &kib) != 1) kib = 0;
        (void)fclose(f);
        if (kib != 0) return (uint64_t)kib * 1024u;
    }
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    return (uint64_t)usage.ru_maxrss * 1024u;
}
