/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_speed.c - bytes per second of processor time: JSON reader, number writer
 *
 * usage: json_speed [FILE]     without FILE: a COCO-like text is made up
 */
#define _XOPEN_SOURCE 700
#include "base/json.h"
#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char *make_text(size_t *len)
{
    const size_t cap = (size_t)120 << 20;
    char *text = malloc(cap);
    if (text == NULL) return NULL;
    size_t n = (size_t)sprintf(text, "{\"annotations\": [");
    unsigned seed = 1;
    for (int i = 0; n + 4096 < cap; i++) {
        n += (size_t)sprintf(text + n, "%s{\"segmentation\": [[",
                             i > 0 ? "," : "");
        seed = seed * 1664525u + 1013904223u;
        const int points = 8 + (int)(seed >> 24) / 4;
        for (int k = 0; k < 2 * points; k++) {
            seed = seed * 1664525u + 1013904223u;
            n += (size_t)sprintf(text + n, "%s%u.%02u", k > 0 ? "," : "",
                                 (seed >> 20) % 640, (seed >> 10) % 100);
        }
        n += (size_t)sprintf(
            text + n,
            "]],\"area\": 702.1057499999998,\"iscrowd\": 0,\"image_id\": %d,"
            "\"bbox\": [473.07,395.93,38.65,28.67],\"category_id\": %d,"
            "\"id\": %d}",
            289343 + i, i % 80 + 1, 1768 + i);
    }
    n += (size_t)sprintf(text + n, "]}");
    *len = n;
    return text;
}

static char *load(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) return NULL;
    const long size = ftell(f);
    char *text = size > 0 ? malloc((size_t)size) : NULL;
    rewind(f);
    *len = text != NULL ? fread(text, 1, (size_t)size, f) : 0;
    (void)fclose(f);
    return text;
}

/* Reads every number; what a lazy reader does only for what it is asked. */
static double sum(tni_json *j)
{
    double total = 0.0, v = 0.0;
    tni_span t;
    switch (tni_json_peek(j)) {
    case '{':
        if (tni_json_enter(j, '{'))
            while (tni_json_key(j, &t)) total += sum(j);
        break;
    case '[':
        if (tni_json_enter(j, '['))
            while (tni_json_item(j)) total += sum(j);
        break;
    case '0':
        (void)tni_json_f64(j, &v);
        total = v;
        break;
    default: (void)tni_json_skip(j, NULL); break;
    }
    return total;
}

int main(int argc, char **argv)
{
    size_t len = 0;
    char *text = argc > 1 ? load(argv[1], &len) : make_text(&len);
    if (text == NULL) {
        fprintf(stderr, "cannot read %s\n", argc > 1 ? argv[1] : "memory");
        return 3;
    }
    double skip = 1e9, walk = 1e9;
    tni_err_clear(NULL);
    for (int i = 0; i < 5; i++) {
        tni_json j;
        tn_err err = {TN_OK, 0, 0, "", ""};
        double t = now();
        tni_json_init(&j, text, len, 0, &err);
        if (!tni_json_skip(&j, NULL) || !tni_json_end(&j)) {
            fprintf(stderr, "%s\n", err.message);
            return 3;
        }
        t = now() - t;
        if (t < skip) skip = t;
        t = now();
        tni_json_init(&j, text, len, 0, &err);
        volatile double total = sum(&j);
        (void)total;
        t = now() - t;
        if (t < walk) walk = t;
    }
    char out[40];
    double t = now();
    size_t bytes = 0;
    for (int i = 0; i < 1000000; i++)
        bytes += tni_num_shortest(out, sizeof out, (double)i / 7.0);
    t = now() - t;
    double u = now();
    for (int i = 0; i < 1000000; i++)
        bytes += tni_num_fixed(out, sizeof out, (double)i / 7e6, 8);
    u = now() - u;
    printf("{\"bytes\": %zu, \"check_mb_s\": %.0f, \"numbers_mb_s\": %.0f, "
           "\"shortest_ns\": %.1f, \"fixed_ns\": %.1f, \"n\": %zu}\n",
           len, (double)len / skip / 1e6, (double)len / walk / 1e6, t * 1e3,
           u * 1e3, bytes);
    free(text);
    return 0;
}
