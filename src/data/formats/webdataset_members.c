/* SPDX-License-Identifier: Apache-2.0 */
/* webdataset_members.c - members of samples that are fields of their image */
#include "data/formats/webdataset.h"

#include "base/utf8.h"

enum { MAX_TEXT = 1 << 16, MAX_ENDING = 60 };

/* What is a key of JSON and an ending of a file as it stands. */
static bool is_plain(tni_span ending)
{
    for (size_t i = 0; i < ending.len; i++) {
        const char c = ending.p[i];
        const bool usual = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                           c == '.' || c == '_' || c == '-';
        if (!usual) return false;
    }
    return ending.len > 0 && ending.len <= MAX_ENDING &&
           ending.p[ending.len - 1] != '.';
}

static bool is_json(tni_span ending)
{
    const char *end = ending.p + ending.len;
    return ending.len >= 4 && memcmp(end - 4, "json", 4) == 0 &&
           (ending.len == 4 || end[-5] == '.');
}

bool tni_wds_is_json(const char *ending)
{
    return is_json(tni_span_of(ending));
}

bool tni_wds_takes(const char *ending, tni_span text, bool *json)
{
    tni_json j;
    tn_err ignored;
    *json = tni_wds_is_json(ending);
    if (!is_plain(tni_span_of(ending)) || text.len > MAX_TEXT) return false;
    if (tni_utf8_valid(text.p, text.len) != text.len) return false;
    if (!*json) return text.len == 0 || memchr(text.p, 0, text.len) == NULL;
    tni_json_init(&j, text.p, text.len, 64, &ignored);
    return tni_json_skip(&j, NULL) && tni_json_end(&j);
}

bool tni_wds_member(const tni_span *field, tni_span *ending, tni_span *value)
{
    const char *end = field->p + field->len;
    if (field->len < 6 || field->p[1] != '.') return false;
    const char *quote = memchr(field->p + 2, '"', field->len - 2);
    if (quote == NULL) return false;
    ending->p = field->p + 2;
    ending->len = (size_t)(quote - ending->p);
    value->p = quote + 1;
    while (value->p < end && strchr(": \t\r\n", *value->p) != NULL) value->p++;
    value->len = (size_t)(end - value->p);
    if (!is_plain(*ending) || value->len == 0) return false;
    return is_json(*ending) || value->p[0] == '"';
}

bool tni_wds_is_member(const tni_span *field)
{
    tni_span ending, value;
    return tni_wds_member(field, &ending, &value);
}
