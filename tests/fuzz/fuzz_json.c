/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - the JSON reader: what skipping takes, walking takes, and what
 * is taken is written and read again */
#include "base/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(tni_json *j, tni_arena *arena)
{
    tni_span text;
    double d = 0.0;
    bool b = false;
    switch (tni_json_peek(j)) {
    case '{':
        if (tni_json_enter(j, '{'))
            while (tni_json_key(j, &text)) walk(j, arena);
        break;
    case '[':
        if (tni_json_enter(j, '['))
            while (tni_json_item(j)) walk(j, arena);
        break;
    case '"':
        if (tni_json_string(j, &text, &b) &&
            tni_json_unescape(arena, text, NULL) == NULL)
            abort();
        break;
    case '0': {
        /* Beyond the range of double it is still a number. */
        tni_json copy = *j;
        copy.err = NULL;
        if (tni_json_f64(&copy, &d))
            *j = copy;
        else
            (void)tni_json_skip(j, NULL);
        break;
    }
    case 't':
    case 'f': (void)tni_json_bool(j, &b); break;
    default: (void)tni_json_skip(j, NULL); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tni_json j;
    tn_err err;
    tni_mem mem;
    tni_arena arena;
    tni_span raw;
    char *text = malloc(size + 1);
    if (text == NULL) return 0;
    memcpy(text, data, size);
    memset(&err, 0, sizeof err);
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 12);
    tni_json_init(&j, text, size, 32, &err);
    const bool skipped = tni_json_skip(&j, &raw) && tni_json_end(&j);
    tni_json_init(&j, text, size, 32, &err);
    walk(&j, &arena);
    const bool walked = tni_json_end(&j);
    if (skipped != walked) abort();
    tni_arena_fini(&arena);
    free(text);
    return 0;
}
