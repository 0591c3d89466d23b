/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tfod_labels.c - label_map.pbtxt: the classes of TFRecord object detection
 *
 * Protocol buffers in their text form: item { id: 1 name: 'x' }, with or
 * without a colon before the brace, <> for {}, quotes of both kinds, escapes,
 * comments, commas or semicolons between fields.
 *
 * Source: StringIntLabelMap of the API (protos/string_int_label_map.proto);
 * protobuf.dev/reference/protobuf/textformat-spec
 */
#include "data/formats/tfod.h"

#include "base/num.h"

#include <stdio.h>

enum { MAX_DEPTH = 32, MAX_POINTS = 1024 };

typedef enum token_kind { END, NAME, TEXT, MARK, BROKEN } token_kind;

typedef struct lexer {
    const char *start, *p, *end, *path;
    tni_reader *r;
    tn_err *err;
    uint32_t source;
    token_kind kind;
    tni_span token; /* of a text: its bytes, escapes undone */
    const char *at; /* where it begins */
    char *text;     /* room for the longest text there can be */
} lexer;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static tn_status wrong(const lexer *l, const char *what)
{
    int line = 1;
    for (const char *p = l->start; p < l->at; p++)
        if (*p == '\n') line++;
    const uint64_t offset = (uint64_t)(l->at - l->start);
    if (l->err != NULL) l->err->line = line;
    (void)!tni_fail_at(l->err, TN_EFORMAT, offset, "%s", what);
    tni_err_where(l->err, "%s, line %d", l->path, line);
    return TN_EFORMAT;
}

/* --- tokens ---------------------------------------------------------------- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
           c == '+';
}

static void skip_space(lexer *l)
{
    while (l->p < l->end) {
        if (*l->p == '#') {
            while (l->p < l->end && *l->p != '\n') l->p++;
        } else if (strchr(" \t\r\n\f\v", *l->p) != NULL && *l->p != '\0') {
            l->p++;
        } else {
            return;
        }
    }
}

static int digit_of(char c, int base)
{
    const int v = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : 99;
    return v < base ? v : -1;
}

/* One escape behind its backslash; false when it is none. */
static bool unescape(lexer *l, char *out)
{
    static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
    const char c = *l->p++;
    const char *named = c != '\0' ? strchr(from, c) : NULL;
    int v = 0, digit = 0;
    *out = c;
    if (named != NULL) *out = to[named - from];
    if (named != NULL || strchr("\"'\\?", c) != NULL) return c != '\0';
    if (c == 'x' || c == 'X') {
        if (l->p == l->end || digit_of(*l->p, 16) < 0) return false;
        for (int i = 0; i < 2 && l->p < l->end; i++, l->p++) {
            if ((digit = digit_of(*l->p, 16)) < 0) break;
            v = v * 16 + digit;
        }
    } else {
        l->p--;
        if (digit_of(c, 8) < 0) return false;
        for (int i = 0; i < 3 && l->p < l->end; i++, l->p++) {
            if ((digit = digit_of(*l->p, 8)) < 0) break;
            v = v * 8 + digit;
        }
    }
    *out = (char)(unsigned char)v;
    return v > 0 && v < 256;
}

/* Texts side by side are one. */
static tn_status read_text(lexer *l)
{
    size_t n = 0;
    while (l->p < l->end && (*l->p == '"' || *l->p == '\'')) {
        const char quote = *l->p++;
        while (l->p < l->end && *l->p != quote && *l->p != '\n') {
            char c = *l->p++;
            if (c == '\\' && (l->p == l->end || !unescape(l, &c)))
                return wrong(l, "an escape that is none; expected \\n, \\', "
                                "\\\", \\\\ or \\ooo");
            l->text[n++] = c;
        }
        if (l->p == l->end || *l->p != quote)
            return wrong(l, "a text without its closing quote");
        l->p++;
        skip_space(l);
    }
    l->kind = TEXT;
    l->token.p = l->text;
    l->token.len = n;
    return TN_OK;
}

static tn_status next(lexer *l)
{
    skip_space(l);
    l->at = l->p;
    l->kind = END;
    l->token.p = l->p;
    l->token.len = 0;
    if (l->p == l->end) return TN_OK;
    if (*l->p == '"' || *l->p == '\'') return read_text(l);
    if (is_word(*l->p)) {
        while (l->p < l->end && is_word(*l->p)) l->p++;
        l->kind = NAME;
    } else {
        l->p++;
        l->kind = MARK;
    }
    l->token.len = (size_t)(l->p - l->at);
    return TN_OK;
}

static bool is_mark(const lexer *l, const char *any)
{
    return l->kind == MARK && l->token.p[0] != '\0' &&
           strchr(any, l->token.p[0]) != NULL;
}

/* --- fields ---------------------------------------------------------------- */

/* Passes over the value of a field nobody asked for, with all in it. */
static tn_status skip_value(lexer *l)
{
    int depth = 0;
    do {
        if (l->kind == END) return wrong(l, "the file ends inside an item");
        if (is_mark(l, "{<[")) depth++;
        if (is_mark(l, "}>]")) depth--;
        if (depth < 0) return wrong(l, "a bracket that closes nothing");
        if (depth > MAX_DEPTH) return wrong(l, "more than 32 brackets deep");
        if (depth == 0) break;
        TN_TRY(next(l));
    } while (true);
    return next(l);
}

static tn_status read_id(lexer *l, int64_t *id)
{
    size_t used = 0;
    if (l->kind != NAME ||
        !tni_num_parse_i64(id, &used, l->token.p, l->token.len) ||
        used != l->token.len || *id < INT32_MIN || *id > INT32_MAX)
        return wrong(l, "an id is no whole number of 32 bits");
    return next(l);
}

static tn_status take_text(lexer *l, const char **out)
{
    if (l->kind != TEXT) return wrong(l, "expected a text in quotes");
    if (memchr(l->token.p, '\0', l->token.len) != NULL)
        return wrong(l, "a text with a NUL byte");
    *out = tni_keep(l->r->d, l->token.p, l->token.len);
    return *out != NULL ? next(l) : no_memory(l->err);
}

/* To the first token of a field's value; *key is its name. */
static tn_status begin_field(lexer *l, tni_span *key)
{
    if (l->kind != NAME) return wrong(l, "expected the name of a field");
    *key = l->token;
    TN_TRY(next(l));
    if (is_mark(l, ":")) return next(l);
    return is_mark(l, "{<") ? TN_OK
                            : wrong(l, "expected ':' or '{' behind a name");
}

static tn_status end_field(lexer *l)
{
    return is_mark(l, ",;") ? next(l) : TN_OK;
}

/* keypoints { id: 2000 label: "nose" } */
static tn_status read_point(lexer *l, const char **out)
{
    if (!is_mark(l, "{<")) return wrong(l, "expected '{' behind 'keypoints'");
    TN_TRY(next(l));
    while (!is_mark(l, "}>")) {
        tni_span key;
        TN_TRY(begin_field(l, &key));
        if (tni_span_is(key, "label"))
            TN_TRY(take_text(l, out));
        else
            TN_TRY(skip_value(l));
        TN_TRY(end_field(l));
    }
    return *out != NULL ? next(l) : wrong(l, "a keypoint has no 'label'");
}

static tn_status read_item(lexer *l, tni_label *label)
{
    const char *points[MAX_POINTS];
    bool has_id = false;
    label->where = tni_where(l->source, (uint64_t)(l->at - l->start));
    if (!is_mark(l, "{<")) return wrong(l, "expected '{' behind 'item'");
    const char *begin = l->at;
    TN_TRY(next(l));
    while (!is_mark(l, "}>")) {
        tni_span key;
        if (l->kind == END) return wrong(l, "the file ends inside an item");
        TN_TRY(begin_field(l, &key));
        if (tni_span_is(key, "id")) {
            TN_TRY(read_id(l, &label->id));
            has_id = true;
        } else if (tni_span_is(key, "name")) {
            TN_TRY(take_text(l, &label->name));
        } else if (tni_span_is(key, "display_name")) {
            TN_TRY(take_text(l, &label->display));
        } else if (tni_span_is(key, "keypoints")) {
            if (label->n_points == MAX_POINTS)
                return wrong(l, "more than 1024 keypoints");
            points[label->n_points] = NULL;
            TN_TRY(read_point(l, &points[label->n_points]));
            label->n_points++;
        } else {
            TN_TRY(tni_note_add(l->r->d, label->where, "label-map-field",
                                l->err,
                                "a label map has a field '%.*s', which is "
                                "left out",
                                key.len > 40 ? 40 : (int)key.len, key.p));
            TN_TRY(skip_value(l));
        }
        TN_TRY(end_field(l));
    }
    TN_TRY(next(l));
    l->at = has_id ? l->at : begin;
    if (!has_id) return wrong(l, "an item has no 'id'");
    if (label->name == NULL) label->name = label->display;
    if (label->name == NULL) {
        l->at = begin;
        return wrong(l, "an item has neither 'name' nor 'display_name'");
    }
    if (label->display != NULL && strcmp(label->display, label->name) == 0)
        label->display = NULL;
    if (label->n_points == 0) return TN_OK;
    const char **copy =
        TNI_NEW_ARRAY(&l->r->d->arena, const char *, label->n_points);
    if (copy == NULL) return no_memory(l->err);
    memcpy(copy, points, label->n_points * sizeof *copy);
    label->points = copy;
    return TN_OK;
}

tn_status tni_tfod_labels_read(tni_reader *r, const char *path,
                               tni_label **labels, size_t *n, tn_err *err)
{
    lexer l;
    tni_span text = {NULL, 0};
    size_t cap = 0;
    memset(&l, 0, sizeof l);
    l.r = r;
    l.err = err;
    l.path = path;
    *labels = NULL;
    *n = 0;
    TN_TRY(tni_source_open(r->d, path, &l.source, &text, err));
    l.start = l.p = l.at = text.p;
    l.end = text.p + text.len;
    l.text = tni_arena_alloc(&r->scratch, text.len + 1, 1);
    if (l.text == NULL) return no_memory(err);
    if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0) l.p += 3;
    TN_TRY(next(&l));
    while (l.kind != END) {
        tni_span key;
        TN_TRY(begin_field(&l, &key));
        if (!tni_span_is(key, "item"))
            return wrong(&l, "expected 'item'; this is no label map");
        if (*n == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            tni_label *more = TNI_NEW_ARRAY(&r->scratch, tni_label, cap);
            if (more == NULL) return no_memory(err);
            if (*n > 0) memcpy(more, *labels, *n * sizeof *more);
            *labels = more;
        }
        memset(&(*labels)[*n], 0, sizeof **labels);
        TN_TRY(read_item(&l, &(*labels)[*n]));
        ++*n;
        TN_TRY(end_field(&l));
    }
    return TN_OK;
}

/* --- writing --------------------------------------------------------------- */

static void put_text(tni_out *o, const char *text)
{
    tni_out_char(o, '\'');
    for (const char *p = text; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '\'' || c == '\\') {
            tni_out_char(o, '\\');
            tni_out_char(o, *p);
        } else if (c < 0x20 || c == 0x7f) {
            const char escape[4] = {'\\', (char)('0' + (c >> 6)),
                                    (char)('0' + (c >> 3 & 7)),
                                    (char)('0' + (c & 7))};
            tni_out_bytes(o, escape, 4);
        } else {
            tni_out_char(o, *p);
        }
    }
    tni_out_char(o, '\'');
}

/* The display name a class was read with. */
static void put_display(tni_out *o, const tn_dataset *d, uint32_t cls,
                        tni_arena *arena)
{
    const tni_arena_mark mark = tni_arena_save(arena);
    for (uint32_t k = 0;; k++) {
        const tni_span *m =
            tni_sparse_find(&d->class_text[TN_TEXT_EXTRA], cls, k);
        tni_tfod_member member;
        if (m == NULL) break;
        if (!tni_tfod_member_read(&member, *m) || member.list ||
            member.kind != TNI_FEATURE_BYTES ||
            !tni_span_is(member.key, "display_name"))
            continue;
        const tni_span inner = {member.value.p + 1, member.value.len - 2};
        const char *text = tni_json_unescape(arena, inner, NULL);
        if (text != NULL) {
            tni_out_str(o, "  display_name: ");
            put_text(o, text);
            tni_out_str(o, "\n");
        }
        break;
    }
    tni_arena_rewind(arena, mark);
}

tn_status tni_tfod_labels_write(tni_writer *w, const char *name,
                                const int64_t *ids, tn_err *err)
{
    tni_target t;
    TN_TRY(tni_target_open(&t, w, name, err));
    for (uint32_t i = 0; i < w->d->classes.n; i++) {
        const tni_class_row *row = tni_class_at(w->d, i);
        tni_out_str(&t.out, i > 0 ? "\nitem {\n  id: " : "item {\n  id: ");
        tni_out_i64(&t.out, ids[i]);
        tni_out_str(&t.out, "\n  name: ");
        put_text(&t.out, row->name);
        tni_out_str(&t.out, "\n");
        put_display(&t.out, w->d, i, &w->arena);
        for (uint32_t k = 0; row->keypoints != NULL && k < row->n_keypoints;
             k++) {
            tni_out_str(&t.out, "  keypoints {\n    id: ");
            tni_out_i64(&t.out, k);
            tni_out_str(&t.out, "\n    label: ");
            put_text(&t.out, row->keypoints[k]);
            tni_out_str(&t.out, "\n  }\n");
        }
        tni_out_str(&t.out, "}\n");
    }
    return tni_target_close(&t, err);
}
