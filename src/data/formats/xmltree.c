/* SPDX-License-Identifier: Apache-2.0 */
/* xmltree.c - elements of XML as small trees, and XML as JSON and back */
#include "data/formats/xmltree.h"

#include "base/num.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 30 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- reading ---------------------------------------------------------------- */

uint64_t tni_xnode_where(const tni_xtree *t, const tni_xnode *n)
{
    return tni_where(t->source, n->offset);
}

tn_status tni_xnode_fail(const tni_xtree *t, const tni_xnode *n,
                         const char *fmt, ...)
{
    char text[300];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tni_err_where(t->err, "%s", t->path);
    const tn_status status =
        tni_fail_at(t->err, TN_EFORMAT, n->offset, "line %lld: %s",
                    (long long)n->line, text);
    if (t->err != NULL)
        t->err->line = (int32_t)(n->line < INT32_MAX ? n->line : INT32_MAX);
    return status;
}

static char *copy_text(tni_xtree *t, const char *text, size_t len)
{
    return tni_arena_strndup(&t->arena, text, len);
}

static tn_status copy_attrs(tni_xtree *t, tni_xnode *n,
                            const char *const *attrs)
{
    size_t count = 0;
    while (attrs[count] != NULL) count++;
    const char **list = TNI_NEW_ARRAY(&t->arena, const char *, count + 1);
    if (list == NULL) return no_memory(t->err);
    for (size_t i = 0; i < count; i++) {
        list[i] = copy_text(t, attrs[i], strlen(attrs[i]));
        if (list[i] == NULL) return no_memory(t->err);
    }
    n->attrs = list;
    return TN_OK;
}

static tn_status on_start(void *ctx, tni_xml *x, const char *name,
                          const char *const *attrs)
{
    tni_xtree *t = ctx;
    const uint32_t depth = tni_xml_depth(x);
    if (depth == 1 && strcmp(name, t->root) != 0) {
        t->other_root = true;
        return tni_xml_fail(x,
                            "the outermost element is <%.60s>, expected <%s>",
                            name, t->root);
    }
    if (depth < t->depth) return TN_OK;
    tni_xnode *n = TNI_NEW(&t->arena, tni_xnode);
    if (n == NULL) return no_memory(t->err);
    n->name = copy_text(t, name, strlen(name));
    if (n->name == NULL) return no_memory(t->err);
    TN_TRY(copy_attrs(t, n, attrs));
    n->offset = tni_xml_offset(x);
    n->line = tni_xml_line(x);
    if (t->n_open > 0) {
        tni_xnode *parent = t->open[t->n_open - 1];
        if (parent->last != NULL)
            parent->last->next = n;
        else
            parent->first = n;
        parent->last = n;
    }
    t->open[t->n_open++] = n;
    return TN_OK;
}

static tn_status on_end(void *ctx, tni_xml *x, const char *name,
                        const char *text, size_t len)
{
    tni_xtree *t = ctx;
    (void)x;
    (void)name;
    if (t->n_open == 0) return TN_OK;
    tni_xnode *n = t->open[--t->n_open];
    if (text != NULL) {
        n->text.p = copy_text(t, text, len);
        n->text.len = len;
        if (n->text.p == NULL) return no_memory(t->err);
    }
    if (t->n_open > 0) return TN_OK;
    const tn_status status = t->take(t->ctx, t, n);
    tni_arena_reset(&t->arena);
    return status;
}

tn_status tni_xtree_read(tni_xtree *t)
{
    tni_span text = {NULL, 0};
    const tni_xml_limits limits = {MAX_DEPTH, 0, 0};
    const tni_xml_handler handler = {t, on_start, on_end};
    t->n_open = 0;
    t->other_root = false;
    TN_TRY(tni_source_open(t->r->d, t->path, &t->source, &text, t->err));
    tni_arena_init(&t->arena, &t->r->d->mem, 1 << 14);
    const tn_status status = tni_xml_read(&handler, text.p, text.len, &limits,
                                          &t->r->d->mem, t->err);
    tni_arena_fini(&t->arena);
    if (status != TN_OK) tni_err_where(t->err, "%s", t->path);
    return status;
}

bool tni_xnode_is(const tni_xnode *n, const char *name)
{
    return strcmp(n->name, name) == 0;
}

const tni_xnode *tni_xnode_child(const tni_xnode *n, const char *name)
{
    const tni_xnode *c = n->first;
    while (c != NULL && strcmp(c->name, name) != 0) c = c->next;
    return c;
}

const tni_xnode *tni_xnode_again(const tni_xnode *n)
{
    const tni_xnode *c = n->next;
    while (c != NULL && strcmp(c->name, n->name) != 0) c = c->next;
    return c;
}

tni_span tni_xnode_text(const tni_xnode *n, const char *name)
{
    const tni_span none = {NULL, 0};
    const tni_xnode *c = tni_xnode_child(n, name);
    return c != NULL ? c->text : none;
}

/* --- XML to JSON ------------------------------------------------------------ */

/* Elements of one name, in their order. */
typedef struct alike {
    const tni_xnode *node;
    struct alike *next, *last; /* last: of the first alone */
} alike;

static bool group(tni_once *names, const tni_xnode *n)
{
    for (const tni_xnode *c = n->first; c != NULL; c = c->next) {
        bool fresh = false;
        alike *one = TNI_NEW(&names->arena, alike);
        void **slot =
            tni_strmap_add(&names->map, c->name, strlen(c->name), &fresh);
        if (one == NULL || slot == NULL) return false;
        if (fresh) *slot = one;
        alike *first = *slot;
        one->node = c;
        if (!fresh) first->last->next = one;
        first->last = one;
    }
    return true;
}

void tni_xnode_put_children(tni_out *o, const tni_xnode *n, const char *but,
                            bool any)
{
    tni_once names;
    if (n->first == NULL) return;
    tni_once_init(&names);
    names.failed = !group(&names, n);
    for (const tni_xnode *c = n->first; c != NULL && !names.failed;
         c = c->next) {
        const alike *a = *tni_strmap_find(&names.map, c->name, strlen(c->name));
        const bool several = a->next != NULL;
        if (a->node != c || (but != NULL && strcmp(c->name, but) == 0))
            continue;
        if (any) tni_out_str(o, ", ");
        any = true;
        tni_out_json(o, c->name, strlen(c->name));
        tni_out_str(o, several ? ": [" : ": ");
        for (; a != NULL; a = a->next) {
            tni_xnode_put_json(o, a->node);
            if (a->next != NULL) tni_out_str(o, ", ");
        }
        if (several) tni_out_str(o, "]");
    }
    tni_once_end(&names, o);
}

void tni_xnode_put_json(tni_out *o, const tni_xnode *n)
{
    bool any = false;
    if (n->attrs[0] == NULL && n->first == NULL) {
        tni_out_json(o, n->text.p, n->text.len);
        return;
    }
    tni_out_str(o, "{");
    for (size_t i = 0; n->attrs[i] != NULL; i += 2) {
        char key[200];
        if (any) tni_out_str(o, ", ");
        any = true;
        const int len = snprintf(key, sizeof key, "@%.190s", n->attrs[i]);
        tni_out_json(o, key, (size_t)len);
        tni_out_str(o, ": ");
        tni_out_json(o, n->attrs[i + 1], strlen(n->attrs[i + 1]));
    }
    if (n->first == NULL && n->text.len > 0) {
        if (any) tni_out_str(o, ", ");
        tni_out_str(o, "\"#text\": ");
        tni_out_json(o, n->text.p, n->text.len);
    }
    tni_xnode_put_children(o, n, NULL, any);
    tni_out_str(o, "}");
}

static bool is_number(tni_span text)
{
    tni_json j;
    double v = 0.0;
    tn_err ignored;
    if (text.len == 0 || text.len > 40 || text.p[0] == ' ') return false;
    tni_json_init(&j, text.p, text.len, 1, &ignored);
    return tni_json_peek(&j) == '0' && tni_json_f64(&j, &v) &&
           j.p == text.p + text.len;
}

static bool is_scalar_word(tni_span text)
{
    return tni_span_is(text, "true") || tni_span_is(text, "false");
}

void tni_put_typed(tni_out *o, tni_span text)
{
    if (is_scalar_word(text) || is_number(text))
        tni_out_bytes(o, text.p, text.len);
    else
        tni_out_json(o, text.p, text.len);
}

/* --- JSON to XML ------------------------------------------------------------ */

static tn_status sink(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    tni_target *t = ctx;
    (void)err;
    tni_out_bytes(&t->out, bytes, size);
    return t->out.status;
}

void tni_xml_out_to(tni_xml_out *x, tni_target *t, const char *indent,
                    tn_err *err)
{
    memset(x, 0, sizeof *x);
    x->ctx = t;
    x->write = sink;
    x->err = err;
    x->indent = indent;
}

void tni_xml_out_f64(tni_xml_out *x, const char *name, double v)
{
    char text[40];
    text[tni_num_shortest(text, sizeof text - 1, v + 0.0)] = '\0';
    tni_xml_out_leaf(x, name, text);
}

void tni_xml_out_attr_f64(tni_xml_out *x, const char *name, double v)
{
    char text[40];
    text[tni_num_shortest(text, sizeof text - 1, v + 0.0)] = '\0';
    tni_xml_out_attr(x, name, text);
}

const char *tni_json_scalar(tni_span value, tni_arena *arena)
{
    if (value.len >= 2 && value.p[0] == '"') {
        const tni_span inner = {value.p + 1, value.len - 2};
        return tni_json_unescape(arena, inner, NULL);
    }
    if (tni_span_is(value, "null")) return "";
    return tni_arena_strndup(arena, value.p, value.len);
}

static const char *key_of(tni_span key, tni_arena *arena)
{
    return tni_json_unescape(arena, key, NULL);
}

static void fail_memory(tni_xml_out *x)
{
    if (x->status == TN_OK) x->status = no_memory(x->err);
}

/* Members of an object: attributes first, then text, then children. */
static void put_object(tni_xml_out *x, tni_span object, tni_arena *arena)
{
    for (int pass = 0; pass < 3; pass++) {
        tni_json j;
        tni_span key, raw;
        tn_err ignored;
        tni_json_init(&j, object.p, object.len, 0, &ignored);
        if (!tni_json_enter(&j, '{')) return;
        while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
            const bool attr = key.len > 1 && key.p[0] == '@';
            const bool text = tni_span_is(key, "#text");
            if (pass != (attr ? 0 : text ? 1 : 2)) continue;
            const char *name = key_of(key, arena);
            const char *plain = pass < 2 ? tni_json_scalar(raw, arena) : "";
            if (name == NULL || plain == NULL) {
                fail_memory(x);
                return;
            }
            if (pass == 0) tni_xml_out_attr(x, name + 1, plain);
            if (pass == 1) tni_xml_out_text(x, plain, strlen(plain));
            if (pass == 2) tni_xml_out_json(x, name, raw, arena);
        }
    }
}

static void put_item(tni_xml_out *x, const char *name, tni_span value,
                     tni_arena *arena)
{
    if (value.p[0] == '{') {
        tni_xml_out_open(x, name);
        put_object(x, value, arena);
        tni_xml_out_close(x);
        return;
    }
    const char *plain = tni_json_scalar(value, arena);
    if (plain == NULL)
        fail_memory(x);
    else
        tni_xml_out_leaf(x, name, plain);
}

void tni_xml_out_json(tni_xml_out *x, const char *name, tni_span value,
                      tni_arena *arena)
{
    if (value.p[0] != '[') {
        put_item(x, name, value, arena);
        return;
    }
    tni_json j;
    tni_span raw;
    tn_err ignored;
    tni_json_init(&j, value.p, value.len, 0, &ignored);
    if (!tni_json_enter(&j, '[')) return;
    while (tni_json_item(&j) && tni_json_skip(&j, &raw))
        tni_xml_out_json(x, name, raw, arena);
}

/* --- what stays ------------------------------------------------------------- */

static bool is_name(tni_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        const char c = key.p[i];
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool other = (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!letter && (i == 0 || !other)) return false;
    }
    return key.len > 0 && key.len < 150;
}

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        const unsigned c = (unsigned char)p[i] | 32;
        v = v << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

/* A string without what XML 1.0 cannot hold: control characters, U+FFFE. */
static bool is_text(tni_span value)
{
    for (size_t i = 1; i + 1 < value.len; i++) {
        const unsigned char c = (unsigned char)value.p[i];
        if (c == 0xef && i + 2 < value.len &&
            (unsigned char)value.p[i + 1] == 0xbf &&
            (unsigned char)value.p[i + 2] > 0xbd)
            return false;
        if (c != '\\') continue;
        const char e = value.p[++i];
        if (e == 'b' || e == 'f') return false;
        if (e != 'u') continue;
        const unsigned v = hex4(value.p + i + 1);
        if (v == 0xfffe || v == 0xffff ||
            (v < 0x20 && v != '\t' && v != '\n' && v != '\r'))
            return false;
    }
    return true;
}

static bool fits(tni_span value, bool strict, int depth)
{
    tni_json j;
    tni_span key, raw;
    tn_err ignored;
    if (depth > 16 || value.len == 0) return false;
    if (value.p[0] == '"') return is_text(value);
    if (value.p[0] != '{' && value.p[0] != '[') return !strict;
    tni_json_init(&j, value.p, value.len, 0, &ignored);
    size_t n = 0, n_attrs = 0;
    bool text = false, other = false;
    if (value.p[0] == '[') {
        if (!tni_json_enter(&j, '[')) return false;
        for (; tni_json_item(&j); n++)
            if (!tni_json_skip(&j, &raw) || raw.p[0] == '[' ||
                !fits(raw, strict, depth + 1))
                return false;
        return j.status == TN_OK && (!strict || n > 1);
    }
    if (!tni_json_enter(&j, '{')) return false;
    for (; tni_json_key(&j, &key); n++) {
        const bool attr = key.len > 1 && key.p[0] == '@';
        const tni_span name = {key.p + 1, key.len - 1};
        const bool scalar =
            tni_json_peek(&j) != '{' && tni_json_peek(&j) != '[';
        if (!tni_json_skip(&j, &raw) || !fits(raw, strict, depth + 1))
            return false;
        if (attr && (!scalar || !is_name(name))) return false;
        if (attr) n_attrs++;
        if (tni_span_is(key, "#text")) {
            if (!scalar || text || (strict && raw.len < 3)) return false;
            text = true;
        } else if (!attr) {
            if (!is_name(key)) return false;
            other = true;
        }
    }
    if (j.status != TN_OK || (text && other)) return false;
    return !strict || (n > 0 && (!text || n_attrs > 0));
}

bool tni_json_is_xml(tni_span key, tni_span value)
{
    return is_name(key) && fits(value, false, 0);
}

bool tni_json_stays_xml(tni_span key, tni_span value)
{
    return is_name(key) && fits(value, true, 0);
}

bool tni_json_stays_typed(tni_span value)
{
    if (value.len == 0) return false;
    if (value.p[0] == '"') {
        const tni_span inner = {value.p + 1, value.len - 2};
        return is_text(value) && !is_scalar_word(inner) && !is_number(inner);
    }
    return is_scalar_word(value) || is_number(value);
}
