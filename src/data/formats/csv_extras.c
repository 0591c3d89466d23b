/* SPDX-License-Identifier: Apache-2.0 */
/* csv_extras.c - columns nobody defines, kept as members of JSON and back */
#include "data/formats/csv_extras.h"

enum { MAX_EXTRAS = 200 };

static bool is_json_number(tni_span t)
{
    tni_json j;
    double v = 0.0;
    tn_err ignored;
    tni_json_init(&j, t.p, t.len, 0, &ignored);
    return t.len > 0 && (t.p[0] == '-' || (t.p[0] >= '0' && t.p[0] <= '9')) &&
           tni_json_f64(&j, &v) && tni_json_end(&j);
}

tn_status tni_extra_member(tni_draft *draft, tn_dataset *d, const char *name,
                           tni_span field, tni_span *member)
{
    tni_out *o = tni_draft_begin(draft);
    tni_out_json(o, name, strlen(name));
    tni_out_str(o, ": ");
    if (is_json_number(field))
        tni_out_bytes(o, field.p, field.len);
    else
        tni_out_json(o, field.p, field.len);
    return tni_draft_keep(draft, d, member);
}

static const char *text_of(tni_span value, size_t *len, tni_arena *arena)
{
    const tni_span inner = {value.p + 1, value.len - 2};
    return tni_json_unescape(arena, inner, len);
}

/* Whether a field can say the value so that it is read as the same. */
static bool is_plain(tni_span value, tni_arena *arena)
{
    size_t len = 0;
    if (value.p[0] != '"') return is_json_number(value);
    const char *text = text_of(value, &len, arena);
    if (text == NULL || len == 0 || memchr(text, '\0', len) != NULL)
        return false;
    const tni_span t = {text, len};
    return !is_json_number(t);
}

static size_t find_key(const tni_extra_columns *c, tni_span key)
{
    size_t i = 0;
    while (i < c->n && (c->keys[i].len != key.len ||
                        memcmp(c->keys[i].p, key.p, key.len) != 0))
        i++;
    return i;
}

static bool add_key(tni_extra_columns *c, tni_span key,
                    bool (*taken)(const char *name), tni_arena *arena)
{
    size_t len = 0;
    const char *name = tni_json_unescape(arena, key, &len);
    if (c->n == MAX_EXTRAS || name == NULL || strlen(name) != len || len == 0 ||
        taken(name))
        return false;
    c->keys[c->n++] = key;
    return true;
}

static bool add_member(tni_extra_columns *c, uint64_t *seen, tni_span member,
                       const char *skip, bool (*taken)(const char *name),
                       tni_arena *arena)
{
    tni_span key, value;
    if (!tni_json_split(member, &key, &value)) return false;
    if (skip != NULL && tni_span_is(key, skip)) return true;
    const tni_arena_mark mark = tni_arena_save(arena);
    if (!is_plain(value, arena)) return false;
    const size_t k = find_key(c, key);
    if (k == c->n && !add_key(c, key, taken, arena)) return false;
    if ((seen[k / 64] >> (k % 64) & 1) != 0) return false;
    seen[k / 64] |= UINT64_C(1) << (k % 64);
    tni_arena_rewind(arena, mark);
    return true;
}

bool tni_extras_collect(tni_extra_columns *c, const tni_sparse *members,
                        const tni_extra_filter *filter,
                        bool (*taken)(const char *name), tni_arena *arena)
{
    static const tni_extra_filter all = {NULL, 0, NULL, NULL};
    const tni_extra_filter *f = filter != NULL ? filter : &all;
    uint32_t before = TN_NONE;
    uint64_t seen[(MAX_EXTRAS + 63) / 64] = {0};
    c->n = 0;
    c->keys = TNI_NEW_ARRAY(arena, tni_span, MAX_EXTRAS);
    if (c->keys == NULL) return false;
    for (const char *const *p = f->first; p != NULL && *p != NULL; p++)
        c->keys[c->n++] = tni_span_of(*p);
    for (uint32_t i = 0; i < members->values.n; i++) {
        const uint32_t row = *TNI_ROW(&members->keys, uint32_t, i);
        if (f->groups != NULL && f->groups[row] != f->group) continue;
        if (row != before) memset(seen, 0, sizeof seen);
        before = row;
        if (!add_member(c, seen, *TNI_ROW(&members->values, tni_span, i),
                        f->skip, taken, arena))
            return false;
    }
    return true;
}

tn_status tni_extras_header(const tni_extra_columns *c, tni_out *o,
                            tni_arena *arena, tn_err *err)
{
    for (size_t i = 0; i < c->n; i++) {
        size_t len = 0;
        const char *name = tni_json_unescape(arena, c->keys[i], &len);
        if (name == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        tni_out_char(o, ',');
        tni_csv_put(o, ',', name, len);
    }
    return TN_OK;
}

/* The value of a row's member of this key; false when it has none. */
static bool value_of(const tni_sparse *members, uint32_t row, tni_span wanted,
                     tni_span *value)
{
    for (uint32_t k = 0; row != TN_NONE; k++) {
        tni_span key;
        const tni_span *m = tni_sparse_find(members, row, k);
        if (m == NULL) return false;
        if (tni_json_split(*m, &key, value) && key.len == wanted.len &&
            memcmp(key.p, wanted.p, key.len) == 0)
            return true;
    }
    return false;
}

tn_status tni_extras_put(const tni_extra_columns *c, const tni_sparse *members,
                         uint32_t row, tni_out *o, tni_arena *arena,
                         tn_err *err)
{
    for (size_t i = 0; i < c->n; i++) {
        tni_span value;
        size_t len = 0;
        tni_out_char(o, ',');
        if (!value_of(members, row, c->keys[i], &value)) continue;
        if (value.p[0] != '"') {
            tni_csv_put(o, ',', value.p, value.len);
            continue;
        }
        const tni_arena_mark mark = tni_arena_save(arena);
        const char *text = text_of(value, &len, arena);
        if (text == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
        tni_csv_put(o, ',', text, len);
        tni_arena_rewind(arena, mark);
    }
    return TN_OK;
}
