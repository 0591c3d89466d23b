/* SPDX-License-Identifier: Apache-2.0 */
/* json_path.c - where in a JSON document a byte is, for messages */
#include "base/json.h"

#include <stdio.h>

enum { MAX_FRAMES = 64 };

typedef struct frame {
    bool array, wants_key;
    tni_span key; /* of the member the walk is in; p is NULL before the first */
    uint64_t index;
} frame;

/* Behind the string whose opening quote is at p; NULL when it goes on past
 * `at`. */
static const char *string_end(const char *p, const char *at)
{
    for (p++; p < at; p++) {
        if (*p == '"') return p + 1;
        if (*p == '\\') p++;
    }
    return NULL;
}

static size_t walk(frame *f, const char *start, const char *at)
{
    size_t depth = 0; /* how many of f are open; more are only counted */
    for (const char *p = start; p < at;) {
        frame *top = depth > 0 && depth <= MAX_FRAMES ? &f[depth - 1] : NULL;
        const char c = *p;
        if (c == '"') {
            const char *end = string_end(p, at);
            if (end == NULL) break;
            if (top != NULL && top->wants_key) {
                top->key.p = p + 1;
                top->key.len = (size_t)(end - p) - 2;
            }
            p = end;
            continue;
        }
        if (c == '{' || c == '[') {
            if (depth++ < MAX_FRAMES) {
                memset(&f[depth - 1], 0, sizeof *f);
                f[depth - 1].array = c == '[';
                f[depth - 1].wants_key = c == '{';
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (c == ':' && top != NULL) {
            top->wants_key = false;
        } else if (c == ',' && top != NULL) {
            top->index++;
            top->wants_key = !top->array;
            top->key.p = NULL;
        }
        p++;
    }
    return depth;
}

static bool is_word(tni_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        const char c = key.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return key.len > 0;
}

void tni_json_path(const char *start, const char *at, char *buf, size_t size)
{
    frame f[MAX_FRAMES];
    const size_t depth = walk(f, start, at);
    size_t n = 0;
    buf[0] = '\0';
    for (size_t i = 0; i < depth && i < MAX_FRAMES && n + 1 < size; i++) {
        int wrote = 0;
        if (f[i].array)
            wrote = snprintf(buf + n, size - n, "[%llu]",
                             (unsigned long long)f[i].index);
        else if (f[i].key.p != NULL && is_word(f[i].key))
            wrote = snprintf(buf + n, size - n, "%s%.*s", n > 0 ? "." : "",
                             (int)(f[i].key.len < 60 ? f[i].key.len : 60),
                             f[i].key.p);
        else if (f[i].key.p != NULL)
            wrote = snprintf(buf + n, size - n, "[\"%.*s\"]",
                             (int)(f[i].key.len < 60 ? f[i].key.len : 60),
                             f[i].key.p);
        /* What is not whole is left out. */
        if (wrote < 0 || (size_t)wrote >= size - n) {
            buf[n] = '\0';
            return;
        }
        n += (size_t)wrote;
    }
}
