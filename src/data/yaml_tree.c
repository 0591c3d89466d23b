/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_tree.c - a small YAML document as a tree, by libyaml's events */
#include "data/yaml_tree.h"

#include "base/num.h"
#include "base/strmap.h"

#if defined(TN_WITH_YAML)
#include <yaml.h>
#endif

enum { MAX_NODES = 1000000, MAX_DEPTH = 64, MAX_JSON = 1 << 24 };

const tni_yaml *tni_yaml_get(const tni_yaml *map, const char *key)
{
    if (map == NULL || map->kind != TNI_YAML_MAP) return NULL;
    for (size_t i = 0; i + 1 < map->n; i += 2)
        if (map->items[i]->kind == TNI_YAML_SCALAR &&
            strcmp(map->items[i]->text, key) == 0)
            return map->items[i + 1];
    return NULL;
}

bool tni_yaml_int(const tni_yaml *node, int64_t *out)
{
    size_t used = 0;
    return node != NULL && node->kind == TNI_YAML_SCALAR && node->len > 0 &&
           tni_num_parse_i64(out, &used, node->text, node->len) &&
           used == node->len;
}

/* --- as JSON ------------------------------------------------------------- */

typedef struct text {
    tni_arena *arena;
    char *p;
    size_t n, cap;
    bool failed;
} text;

static tn_status append(void *ctx, const void *bytes, size_t size, tn_err *err)
{
    text *t = ctx;
    (void)err;
    if (t->n + size + 1 > t->cap) {
        const size_t cap = (t->n + size + 1) * 2;
        char *more = cap <= MAX_JSON ? tni_arena_alloc(t->arena, cap, 1) : NULL;
        if (more == NULL) {
            t->failed = true;
            return TN_ENOMEM;
        }
        if (t->n > 0) memcpy(more, t->p, t->n);
        t->p = more;
        t->cap = cap;
    }
    memcpy(t->p + t->n, bytes, size);
    t->n += size;
    t->p[t->n] = '\0';
    return TN_OK;
}

static bool is_number(const tni_yaml *y)
{
    tni_json j;
    tni_json_init(&j, y->text, y->len, 1, NULL);
    return tni_json_peek(&j) == '0' && tni_json_skip(&j, NULL) &&
           tni_json_end(&j);
}

static void put_scalar(tni_out *o, const tni_yaml *y)
{
    static const char *const words[][2] = {
        {"null", "null"},  {"~", "null"},    {"", "null"},
        {"true", "true"},  {"True", "true"}, {"false", "false"},
        {"False", "false"}};
    if (!y->quoted) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strcmp(y->text, words[i][0]) == 0) {
                tni_out_str(o, words[i][1]);
                return;
            }
        if (is_number(y)) {
            tni_out_bytes(o, y->text, y->len);
            return;
        }
    }
    tni_out_json(o, y->text, y->len);
}

static void put(tni_out *o, const tni_yaml *y, int depth)
{
    if (o->status != TN_OK) return;
    if (depth > MAX_DEPTH) {
        o->status = TN_ELIMIT;
        return;
    }
    if (y->kind == TNI_YAML_SCALAR) {
        put_scalar(o, y);
        return;
    }
    const bool map = y->kind == TNI_YAML_MAP;
    tni_out_char(o, map ? '{' : '[');
    for (size_t i = 0; i < y->n; i++) {
        if (i > 0) tni_out_str(o, map && i % 2 == 1 ? ": " : ", ");
        if (map && i % 2 == 0 && y->items[i]->kind == TNI_YAML_SCALAR)
            tni_out_json(o, y->items[i]->text, y->items[i]->len);
        else if (map && i % 2 == 0)
            tni_out_str(o, "\"\"");
        else
            put(o, y->items[i], depth + 1);
    }
    tni_out_char(o, map ? '}' : ']');
}

const char *tni_yaml_json(const tni_yaml *node, tni_arena *arena, size_t *len)
{
    text t = {arena, NULL, 0, 0, false};
    tni_out *o = tni_arena_alloc(arena, sizeof *o, _Alignof(tni_out));
    if (o == NULL) return NULL;
    tni_out_init(o, append, &t, NULL);
    put(o, node, 0);
    if (tni_out_flush(o) != TN_OK || t.failed) return NULL;
    *len = t.n;
    return t.p;
}

/* --- reading ------------------------------------------------------------- */

#if !defined(TN_WITH_YAML)

tn_status tni_yaml_read(tni_yaml **out, tni_span span, uint32_t max_depth,
                        tni_arena *arena, tn_err *err)
{
    (void)span;
    (void)max_depth;
    (void)arena;
    *out = NULL;
    return tni_fail(err, TN_EUNSUPPORTED,
                    "this build reads no YAML: it was made without libyaml");
}

#else

typedef struct builder {
    tni_arena *arena;
    tn_err *err;
    tni_yaml *stack[MAX_DEPTH + 1];
    uint32_t depth, max_depth, n_nodes;
    tni_yaml *root;
    tni_strmap_slot *anchors; /* name and node */
    size_t n_anchors, cap_anchors;
} builder;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM, "out of memory");
}

static tn_status add_item(builder *b, tni_yaml *node)
{
    if (b->depth == 0) {
        if (b->root == NULL) b->root = node;
        return TN_OK;
    }
    tni_yaml *up = b->stack[b->depth - 1];
    if (up->n == up->cap) {
        const size_t cap = up->cap == 0 ? 8 : up->cap * 2;
        tni_yaml **more = TNI_NEW_ARRAY(b->arena, tni_yaml *, cap);
        if (more == NULL) return no_memory(b->err);
        if (up->n > 0) memcpy(more, up->items, up->n * sizeof *more);
        up->items = more;
        up->cap = cap;
    }
    up->items[up->n++] = node;
    return TN_OK;
}

static tn_status add_anchor(builder *b, const yaml_char_t *name, tni_yaml *node)
{
    if (name == NULL) return TN_OK;
    const char *s = (const char *)name;
    if (b->n_anchors == b->cap_anchors) {
        const size_t cap = b->cap_anchors == 0 ? 8 : b->cap_anchors * 2;
        tni_strmap_slot *more = TNI_NEW_ARRAY(b->arena, tni_strmap_slot, cap);
        if (more == NULL || cap > 4096)
            return tni_fail(b->err, TN_ELIMIT, "more than 4096 anchors");
        if (b->n_anchors > 0)
            memcpy(more, b->anchors, b->n_anchors * sizeof *more);
        b->anchors = more;
        b->cap_anchors = cap;
    }
    tni_strmap_slot *slot = &b->anchors[b->n_anchors++];
    slot->key = tni_arena_strndup(b->arena, s, strlen(s));
    slot->value = node;
    return slot->key != NULL ? TN_OK : no_memory(b->err);
}

static tn_status add_alias(builder *b, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    for (size_t i = b->n_anchors; i-- > 0;)
        if (strcmp(b->anchors[i].key, name) == 0) {
            /* A node inside itself would have no end. */
            for (uint32_t k = 0; k < b->depth; k++)
                if (b->stack[k] == b->anchors[i].value)
                    return tni_fail(b->err, TN_EFORMAT,
                                    "the alias '%.40s' is inside itself", name);
            return add_item(b, b->anchors[i].value);
        }
    return tni_fail(b->err, TN_EFORMAT, "no anchor is called '%.40s'", name);
}

static tn_status add_node(builder *b, const yaml_event_t *e, tni_yaml_kind kind,
                          const yaml_char_t *anchor, tni_yaml **out)
{
    if (++b->n_nodes > MAX_NODES)
        return tni_fail(b->err, TN_ELIMIT, "more than %d nodes",
                        (int)MAX_NODES);
    tni_yaml *node = TNI_NEW(b->arena, tni_yaml);
    if (node == NULL) return no_memory(b->err);
    node->kind = kind;
    node->offset = e->start_mark.index;
    node->line = (int)e->start_mark.line + 1;
    node->text = "";
    *out = node;
    TN_TRY(add_item(b, node));
    return add_anchor(b, anchor, node);
}

static tn_status open_node(builder *b, const yaml_event_t *e,
                           tni_yaml_kind kind, const yaml_char_t *anchor)
{
    tni_yaml *node = NULL;
    if (b->depth >= b->max_depth)
        return tni_fail(b->err, TN_ELIMIT,
                        "values are nested more than %u deep",
                        (unsigned)b->max_depth);
    TN_TRY(add_node(b, e, kind, anchor, &node));
    b->stack[b->depth++] = node;
    return TN_OK;
}

/* A key that comes twice: readers keep either value, none says which. */
static tn_status end_map(builder *b, const tni_yaml *map)
{
    tni_strmap seen;
    tni_strmap_init(&seen, b->arena);
    for (size_t i = 0; i + 1 < map->n; i += 2) {
        const tni_yaml *key = map->items[i];
        bool fresh = true;
        if (key->kind != TNI_YAML_SCALAR) continue;
        void **at = tni_strmap_add(&seen, key->text, key->len, &fresh);
        if (at == NULL) return no_memory(b->err);
        if (!fresh) {
            const tn_status status = tni_fail_at(
                b->err, TN_EFORMAT, key->offset,
                "the key '%.60s' of line %d comes again in line %d: remove one "
                "of them",
                key->text, ((tni_yaml *)*at)->line, key->line);
            if (b->err != NULL) b->err->line = key->line;
            return status;
        }
        *at = map->items[i];
    }
    return TN_OK;
}

static tn_status end_node(builder *b)
{
    if (b->depth == 0) return TN_OK;
    const tni_yaml *node = b->stack[--b->depth];
    return node->kind == TNI_YAML_MAP ? end_map(b, node) : TN_OK;
}

static tn_status take(builder *b, const yaml_event_t *e)
{
    tni_yaml *node = NULL;
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        TN_TRY(add_node(b, e, TNI_YAML_SCALAR, e->data.scalar.anchor, &node));
        node->len = e->data.scalar.length;
        node->text = tni_arena_strndup(
            b->arena, (const char *)e->data.scalar.value, node->len);
        node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return node->text != NULL ? TN_OK : no_memory(b->err);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, e, TNI_YAML_LIST, e->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return open_node(b, e, TNI_YAML_MAP, e->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return end_node(b);
    case YAML_ALIAS_EVENT: return add_alias(b, e);
    default: return TN_OK;
    }
}

tn_status tni_yaml_read(tni_yaml **out, tni_span span, uint32_t max_depth,
                        tni_arena *arena, tn_err *err)
{
    yaml_parser_t parser;
    builder *b = TNI_NEW(arena, builder);
    *out = NULL;
    if (b == NULL || yaml_parser_initialize(&parser) == 0)
        return no_memory(err);
    yaml_parser_set_input_string(&parser, (const unsigned char *)span.p,
                                 span.len);
    b->arena = arena;
    b->err = err;
    b->max_depth = max_depth < MAX_DEPTH ? max_depth : MAX_DEPTH;
    tn_status status = TN_OK;
    for (bool done = false; !done && status == TN_OK;) {
        yaml_event_t e;
        if (yaml_parser_parse(&parser, &e) == 0) {
            status = tni_fail_at(
                err, parser.error == YAML_MEMORY_ERROR ? TN_ENOMEM : TN_EFORMAT,
                parser.problem_mark.index, "broken YAML in line %zu: %.120s",
                parser.problem_mark.line + 1,
                parser.problem != NULL ? parser.problem : "unreadable");
            if (err != NULL) err->line = (int32_t)parser.problem_mark.line + 1;
            break;
        }
        done = e.type == YAML_STREAM_END_EVENT ||
               e.type == YAML_DOCUMENT_END_EVENT;
        const int line = (int)e.start_mark.line + 1;
        status = take(b, &e);
        if (status != TN_OK && err != NULL && e.type != YAML_MAPPING_END_EVENT)
            err->line = line;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&parser);
    if (status != TN_OK) return status;
    if (b->root == NULL) {
        b->root = TNI_NEW(arena, tni_yaml);
        if (b->root == NULL) return no_memory(err);
        b->root->kind = TNI_YAML_MAP;
    }
    *out = b->root;
    return TN_OK;
}

#endif
