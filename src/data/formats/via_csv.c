/* SPDX-License-Identifier: Apache-2.0 */
/*
 * via_csv.c - VIA's tables: a row for every region
 *
 *     filename,file_size,file_attributes,region_count,region_id,
 *     region_shape_attributes,region_attributes
 *
 * The attributes are objects of JSON in quotes; a '#' before the first name is
 * version 1's. An image without regions has a row with an empty object. Rows
 * become the JSON that VIA keeps them as otherwise, each on the line it has in
 * the table, so that what is wrong with it is reported there.
 *
 * Source: gitlab.com/vgg/via, via-2.x.y/src/via.js (export, import of CSV)
 */
#include "data/formats/via.h"

#include "data/csv.h"

#include <stdio.h>

enum { NAME, SIZE, FILE_ATTRIBUTES, COUNT, SHAPE, REGION, N_COLUMNS };

static const char *const columns[N_COLUMNS] = {"filename",
                                               "file_size",
                                               "file_attributes",
                                               "region_count",
                                               "region_shape_attributes",
                                               "region_attributes"};

typedef struct table {
    tni_reader *r;
    tn_err *err;
    tni_csv csv;
    uint32_t source;
    size_t at[N_COLUMNS]; /* SIZE_MAX: not there */
    tni_draft *draft;
    int64_t line; /* of the JSON */
    tni_via_row *rows;
    size_t n_rows, cap;
    /* of the image */
    tni_span name, size, attributes;
    int64_t declared, regions;
    bool any, any_region;
    uint64_t where;
} table;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

bool tni_via_is_csv(tni_span head)
{
    size_t n = 0;
    while (n < head.len && head.p[n] != '\n' && head.p[n] != '\r') n++;
    const tni_span first = {head.p, n};
    if (n > 0 && strchr("{[", head.p[0]) != NULL) return false;
    return tni_has_text(first, "filename") &&
           tni_has_text(first, "region_shape_attributes");
}

static const tni_csv_field *field(const table *t, int column)
{
    const size_t i = t->at[column];
    return i < t->csv.n ? &t->csv.fields[i] : NULL;
}

/* --- the JSON ---------------------------------------------------------------- */

/* On to the line of the record, and which record it is. */
static tn_status begin_row(table *t)
{
    for (; t->line < t->csv.line; t->line++) tni_out_char(&t->draft->out, '\n');
    if (t->n_rows == t->cap) {
        const size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
        tni_via_row *more = TNI_NEW_ARRAY(&t->r->scratch, tni_via_row, cap);
        if (more == NULL) return no_memory(t->err);
        if (t->n_rows > 0) memcpy(more, t->rows, t->n_rows * sizeof *more);
        t->rows = more;
        t->cap = cap;
    }
    tni_via_row *row = &t->rows[t->n_rows++];
    row->json = t->draft->out.written + t->draft->out.used;
    row->csv = t->csv.offset;
    return TN_OK;
}

static void put_object(table *t, tni_span text)
{
    tni_out_bytes(&t->draft->out, text.p, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == '\n') t->line++;
}

/* An object of JSON, checked; *any says whether it has a member. */
static tn_status read_object(table *t, int column, tni_span *text, bool *any)
{
    static const tni_span empty = {"{}", 2};
    const tni_csv_field *f = field(t, column);
    tni_json j;
    tni_span raw;
    *text = empty;
    *any = false;
    if (f == NULL || tni_trim(f->text).len == 0) return TN_OK;
    tni_json_init(&j, f->text.p, f->text.len, t->r->d->limits.max_nesting,
                  t->err);
    const bool object = tni_json_peek(&j) == '{';
    if (!tni_json_skip(&j, &raw) || !tni_json_end(&j)) {
        tni_err_where(t->err, "%s", columns[column]);
        if (t->err != NULL) {
            t->err->line = (int32_t)f->line;
            t->err->offset += f->offset;
        }
        return j.status;
    }
    if (!object)
        return tni_csv_fail(&t->csv, f, "%s is no object of JSON",
                            columns[column]);
    *text = raw;
    *any = !tni_json_is_empty(raw);
    return TN_OK;
}

static tn_status end_image(table *t)
{
    if (t->name.p == NULL) return TN_OK;
    tni_out_str(&t->draft->out, "], \"file_attributes\": ");
    put_object(t, t->attributes);
    tni_out_str(&t->draft->out, "}");
    if (t->declared < 0 || t->declared == t->regions) return TN_OK;
    return tni_note_add(t->r->d, t->where, "region-count", t->err,
                        "'%.*s' has %lld regions, but its region_count is %lld",
                        t->name.len > 150 ? 150 : (int)t->name.len, t->name.p,
                        (long long)t->regions, (long long)t->declared);
}

/* A number of a column; -1 where there is none. */
static tn_status read_number(table *t, int column, int64_t *v)
{
    const tni_csv_field *f = field(t, column);
    *v = -1;
    if (f == NULL || tni_trim(f->text).len == 0 ||
        tni_field_i64(tni_trim(f->text), v))
        return TN_OK;
    return tni_csv_fail(&t->csv, f, "%s is '%.*s', expected a number",
                        columns[column],
                        f->text.len > 40 ? 40 : (int)f->text.len, f->text.p);
}

static tn_status begin_image(table *t, tni_strmap *seen, tni_span name,
                             int64_t size)
{
    tni_out *o = &t->draft->out;
    bool fresh = false, any = false;
    char *key = tni_arena_alloc(&t->r->scratch, name.len + 24, 1);
    if (key == NULL) return no_memory(t->err);
    memcpy(key, name.p, name.len);
    const size_t len = name.len + (size_t)snprintf(key + name.len, 24, "%lld",
                                                   (long long)size);
    TN_TRY(end_image(t));
    if (tni_strmap_add(seen, key, len, &fresh) == NULL)
        return no_memory(t->err);
    if (!fresh)
        return tni_csv_fail(&t->csv, field(t, NAME),
                            "the rows of '%.*s' are not side by side; sort the "
                            "table by filename",
                            name.len > 150 ? 150 : (int)name.len, name.p);
    t->name.p = key; /* as long as the table is read */
    t->name.len = name.len;
    t->regions = 0;
    t->any_region = false;
    t->where = tni_where(t->source, t->csv.offset);
    TN_TRY(read_number(t, COUNT, &t->declared));
    tni_span attributes;
    TN_TRY(read_object(t, FILE_ATTRIBUTES, &attributes, &any));
    t->attributes.p =
        tni_arena_strndup(&t->r->scratch, attributes.p, attributes.len);
    t->attributes.len = attributes.len;
    if (t->attributes.p == NULL) return no_memory(t->err);
    tni_out_str(o, t->any ? ", " : "");
    t->any = true;
    TN_TRY(begin_row(t));
    tni_out_json(o, key, len);
    tni_out_str(o, ": {\"filename\": ");
    tni_out_json(o, key, name.len);
    if (t->at[SIZE] != SIZE_MAX) {
        tni_out_str(o, ", \"size\": ");
        tni_out_i64(o, size);
    }
    tni_out_str(o, ", \"regions\": [");
    return o->status;
}

static tn_status read_row(table *t, tni_strmap *seen)
{
    tni_span shape, attributes;
    bool any = false, more = false;
    int64_t size = 0;
    const tni_csv_field *name = field(t, NAME);
    if (name == NULL || name->text.len == 0)
        return tni_csv_fail(&t->csv, t->csv.fields, "a row without a filename");
    TN_TRY(read_number(t, SIZE, &size));
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)size);
    const bool same = t->name.p != NULL && t->name.len == name->text.len &&
                      memcmp(t->name.p, name->text.p, t->name.len) == 0 &&
                      strcmp(t->name.p + t->name.len, number) == 0;
    if (!same) TN_TRY(begin_image(t, seen, name->text, size));
    TN_TRY(read_object(t, SHAPE, &shape, &any));
    TN_TRY(read_object(t, REGION, &attributes, &more));
    if (!any) return TN_OK; /* an image without regions */
    tni_out_str(&t->draft->out, t->any_region ? ", " : "");
    t->any_region = true;
    t->regions++;
    TN_TRY(begin_row(t));
    tni_out_str(&t->draft->out, "{\"shape_attributes\": ");
    put_object(t, shape);
    tni_out_str(&t->draft->out, ", \"region_attributes\": ");
    put_object(t, attributes);
    tni_out_str(&t->draft->out, "}");
    return t->draft->out.status;
}

static tn_status read_header(table *t)
{
    for (int k = 0; k < N_COLUMNS; k++) t->at[k] = SIZE_MAX;
    if (!tni_csv_next(&t->csv)) return t->csv.status;
    for (size_t i = 0; i < t->csv.n; i++) {
        tni_span name = tni_trim(t->csv.fields[i].text);
        if (i == 0 && name.len > 0 && name.p[0] == '#') {
            name.p++;
            name.len--;
        }
        bool known = tni_span_is(name, "region_id");
        for (int k = 0; k < N_COLUMNS; k++) {
            if (!tni_span_is(name, columns[k])) continue;
            t->at[k] = i;
            known = true;
        }
        if (!known)
            TN_TRY(tni_note_add(t->r->d,
                                tni_where(t->source, t->csv.fields[i].offset),
                                "column", t->err,
                                "a column '%.*s', which VIA does not have, is "
                                "left out",
                                name.len > 60 ? 60 : (int)name.len, name.p));
    }
    if (t->at[NAME] != SIZE_MAX && t->at[SHAPE] != SIZE_MAX) return TN_OK;
    return tni_csv_fail(&t->csv, t->csv.fields,
                        "the first row does not name the columns filename and "
                        "region_shape_attributes");
}

tn_status tni_via_from_csv(tni_reader *r, uint32_t source, tni_span text,
                           tni_span *json, tni_via_row **rows, size_t *n,
                           tn_err *err)
{
    table t;
    tni_strmap seen;
    tni_arena arena;
    memset(&t, 0, sizeof t);
    t.r = r;
    t.err = err;
    t.source = source;
    t.line = 1;
    t.draft = tni_draft_new(&r->scratch, err);
    if (t.draft == NULL) return no_memory(err);
    tni_strmap_init(&seen, &r->scratch);
    tni_arena_init(&arena, &r->d->mem, 1 << 14); /* of the records */
    tni_csv_init(&t.csv, text, tni_csv_delimiter(text), &arena, err);
    tn_status status = read_header(&t);
    tni_out_str(tni_draft_begin(t.draft), "{");
    while (status == TN_OK && tni_csv_next(&t.csv))
        status = read_row(&t, &seen);
    if (status == TN_OK) status = t.csv.status;
    if (status == TN_OK) status = end_image(&t);
    tni_arena_fini(&arena);
    tni_out_str(&t.draft->out, "}");
    TN_TRY(status);
    *rows = t.rows;
    *n = t.n_rows;
    return tni_draft_keep(t.draft, r->d, json);
}

uint64_t tni_via_csv_offset(const tni_via_row *rows, size_t n, uint64_t json)
{
    size_t low = 0, high = n;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        if (rows[mid].json <= json)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 ? rows[low - 1].csv : 0;
}
