/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.c - Thompson's construction, simulated with sets of states
 *
 * The pattern becomes a tree, the tree a program of character tests, splits
 * and assertions. Matching steps a set of states over the text, one code point
 * at a time; each state remembers the smallest place at which its thread
 * began. Time is text length times program size.
 * Source: K. Thompson, "Regular expression search algorithm", CACM 11 (1968).
 */
#include "ops/regex.h"

#include <string.h>

enum {
    MAX_DEPTH = 200,      /* nesting of groups */
    MAX_REPEAT = 1000,    /* RE2's limit on {n,m} */
    MAX_PROGRAM = 100000, /* instructions */
    MAX_RUNE = 0x10ffff
};

/* --- text ------------------------------------------------------------------ */

int32_t tni_utf8_decode(const char *p, const char *end, size_t *len)
{
    const unsigned char *u = (const unsigned char *)p;
    const size_t left = (size_t)(end - p);
    static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
    *len = 1;
    if (u[0] < 0x80) return u[0];
    size_t more = 0;
    int32_t v = 0;
    if (u[0] >= 0xc2 && u[0] < 0xe0) {
        more = 1;
        v = u[0] & 0x1f;
    } else if (u[0] >= 0xe0 && u[0] < 0xf0) {
        more = 2;
        v = u[0] & 0x0f;
    } else if (u[0] >= 0xf0 && u[0] < 0xf5) {
        more = 3;
        v = u[0] & 0x07;
    } else {
        return -1;
    }
    if (left <= more) return -1;
    for (size_t i = 1; i <= more; i++) {
        if ((u[i] & 0xc0) != 0x80) return -1;
        v = (v << 6) | (u[i] & 0x3f);
    }
    if (v < least[more] || v > MAX_RUNE || (v >= 0xd800 && v < 0xe000))
        return -1;
    *len = more + 1;
    return v;
}

/* --- the tree ---------------------------------------------------------------- */

typedef struct range {
    int32_t lo, hi;
} range;

typedef enum node_kind { SET, CAT, ALT, REPEAT, ASSERT } node_kind;

typedef enum assertion {
    LINE_BEGIN, /* ^ and \A: of the text */
    LINE_END,   /* $ and \z */
    WORD,
    NOT_WORD
} assertion;

typedef struct node {
    node_kind kind;
    struct node *next;         /* among the children of a CAT or ALT */
    struct node *first, *last; /* children */
    int min, max;              /* REPEAT; max -1: no limit */
    assertion what;
    const range *ranges; /* SET */
    int n_ranges;
    bool negated;
} node;

typedef struct parser {
    const char *at, *end, *begin;
    tni_arena *arena;
    tn_err *err;
    bool fold, dot_all; /* flags i and s */
    int depth;
} parser;

static tn_status bad(const parser *p, const char *what)
{
    return tni_fail(p->err, TN_EINVAL, "pattern: %s at byte %zu", what,
                    (size_t)(p->at - p->begin));
}

static tn_status no_memory(const parser *p)
{
    return tni_fail(p->err, TN_ENOMEM, "out of memory");
}

static node *new_node(parser *p, node_kind kind)
{
    node *n = TNI_NEW(p->arena, node);
    if (n != NULL) n->kind = kind;
    return n;
}

static void append(node *parent, node *child)
{
    if (parent->first == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

/* A growing list of ranges. */
typedef struct ranges {
    range *at;
    int n, cap;
} ranges;

static tn_status add_range(parser *p, ranges *r, int32_t lo, int32_t hi)
{
    if (r->n == r->cap) {
        const int cap = r->cap == 0 ? 4 : r->cap * 2;
        range *more = TNI_NEW_ARRAY(p->arena, range, cap);
        if (more == NULL) return no_memory(p);
        if (r->n > 0) memcpy(more, r->at, (size_t)r->n * sizeof *more);
        r->at = more;
        r->cap = cap;
    }
    r->at[r->n++] = (range){lo, hi};
    return TN_OK;
}

/* With flag i, letters in both cases. */
static tn_status add_folded(parser *p, ranges *r, int32_t lo, int32_t hi)
{
    TN_TRY(add_range(p, r, lo, hi));
    if (!p->fold) return TN_OK;
    for (int32_t c = 'a'; c <= 'z'; c++) {
        const int32_t upper = c - 'a' + 'A';
        if (c >= lo && c <= hi) TN_TRY(add_range(p, r, upper, upper));
        if (upper >= lo && upper <= hi) TN_TRY(add_range(p, r, c, c));
    }
    return TN_OK;
}

/* Everything that is not in the n sorted ranges. */
static tn_status add_inverse(parser *p, ranges *r, const range *set, int n)
{
    int32_t next = 0;
    for (int i = 0; i < n; i++) {
        if (set[i].lo > next) TN_TRY(add_range(p, r, next, set[i].lo - 1));
        next = set[i].hi + 1;
    }
    return add_range(p, r, next, MAX_RUNE);
}

static const range digits[] = {{'0', '9'}};
static const range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const range spaces[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};

/* \d \s \w and their negations; false when c is none of them. */
static bool perl_class(char c, const range **set, int *n, bool *negated)
{
    *negated = c == 'D' || c == 'S' || c == 'W';
    switch (c) {
    case 'd':
    case 'D':
        *set = digits;
        *n = 1;
        return true;
    case 's':
    case 'S':
        *set = spaces;
        *n = 3;
        return true;
    case 'w':
    case 'W':
        *set = words;
        *n = 4;
        return true;
    default: return false;
    }
}

static tn_status add_set(parser *p, ranges *r, const range *set, int n,
                         bool negated)
{
    if (negated) return add_inverse(p, r, set, n);
    for (int i = 0; i < n; i++)
        TN_TRY(add_range(p, r, set[i].lo, set[i].hi));
    return TN_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* After "\x": two digits, or any number in braces. */
static tn_status parse_hex(parser *p, int32_t *out)
{
    int32_t v = 0;
    const bool braces = p->at < p->end && *p->at == '{';
    int n = 0;
    if (braces) p->at++;
    while (p->at < p->end && (braces || n < 2)) {
        const int d = hex_digit(*p->at);
        if (d < 0) break;
        v = v * 16 + d;
        if (v > MAX_RUNE) return bad(p, "a code point beyond Unicode");
        p->at++;
        n++;
    }
    if (n == 0 || (!braces && n != 2)) return bad(p, "a bad \\x escape");
    if (braces) {
        if (p->at == p->end || *p->at != '}')
            return bad(p, "a bad \\x escape");
        p->at++;
    }
    *out = v;
    return TN_OK;
}

/* One character after a backslash that stands for itself or a control. */
static tn_status parse_escape(parser *p, int32_t *out)
{
    if (p->at == p->end) return bad(p, "a backslash at the end");
    const char c = *p->at;
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    const char *known = c != '\0' ? strchr(names, c) : NULL;
    if (known != NULL) {
        p->at++;
        *out = values[known - names];
        return TN_OK;
    }
    if (c == 'x') {
        p->at++;
        return parse_hex(p, out);
    }
    if (c >= '0' && c <= '7') {
        int32_t v = 0;
        for (int n = 0; n < 3 && p->at < p->end && *p->at >= '0' &&
                        *p->at <= '7';
             n++)
            v = v * 8 + (*p->at++ - '0');
        *out = v;
        return TN_OK;
    }
    if (c == 'p' || c == 'P')
        return tni_fail(p->err, TN_EUNSUPPORTED,
                        "pattern: a Unicode property at byte %zu",
                        (size_t)(p->at - p->begin));
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '8' ||
        c == '9')
        return bad(p, "an unknown escape");
    size_t len = 1;
    *out = tni_utf8_decode(p->at, p->end, &len);
    if (*out < 0) return bad(p, "invalid UTF-8");
    p->at += len;
    return TN_OK;
}

static tn_status parse_char(parser *p, int32_t *out)
{
    size_t len = 1;
    *out = tni_utf8_decode(p->at, p->end, &len);
    if (*out < 0) return bad(p, "invalid UTF-8");
    p->at += len;
    return TN_OK;
}

static bool eat(parser *p, const char *text)
{
    const size_t n = strlen(text);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

/* "[:name:]" inside a class. */
static tn_status parse_posix(parser *p, ranges *r, bool *found)
{
    static const struct {
        const char *name;
        int n;
        range set[4];
    } classes[] = {
        {"alnum", 3, {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", 2, {{'A', 'Z'}, {'a', 'z'}}},
        {"ascii", 1, {{0, 0x7f}}},
        {"blank", 2, {{'\t', '\t'}, {' ', ' '}}},
        {"cntrl", 2, {{0, 0x1f}, {0x7f, 0x7f}}},
        {"digit", 1, {{'0', '9'}}},
        {"graph", 1, {{'!', '~'}}},
        {"lower", 1, {{'a', 'z'}}},
        {"print", 1, {{' ', '~'}}},
        {"punct", 4, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", 2, {{'\t', '\r'}, {' ', ' '}}},
        {"upper", 1, {{'A', 'Z'}}},
        {"word", 4, {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
        {"xdigit", 3, {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
    };
    const char *start = p->at;
    *found = false;
    if (!eat(p, "[:")) return TN_OK;
    const bool negated = eat(p, "^");
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        const char *mark = p->at;
        if (eat(p, classes[i].name) && eat(p, ":]")) {
            *found = true;
            return add_set(p, r, classes[i].set, classes[i].n, negated);
        }
        p->at = mark;
    }
    p->at = start;
    return TN_OK;
}

/* One end of a range, or a single character. */
static tn_status parse_class_char(parser *p, int32_t *out)
{
    if (p->at == p->end) return bad(p, "a class without end");
    if (eat(p, "\\")) return parse_escape(p, out);
    return parse_char(p, out);
}

/* After "[". */
static tn_status parse_class(parser *p, node **out)
{
    ranges r = {0};
    const bool negated = eat(p, "^");
    bool first = true;
    for (;; first = false) {
        if (p->at == p->end) return bad(p, "a class without end");
        if (!first && eat(p, "]")) break;
        bool posix = false;
        TN_TRY(parse_posix(p, &r, &posix));
        if (posix) continue;
        const range *set = NULL;
        int n = 0;
        bool not = false;
        if (p->end - p->at >= 2 && p->at[0] == '\\' &&
            perl_class(p->at[1], &set, &n, &not)) {
            p->at += 2;
            TN_TRY(add_set(p, &r, set, n, not));
            continue;
        }
        int32_t lo = 0, hi = 0;
        TN_TRY(parse_class_char(p, &lo));
        hi = lo;
        if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            TN_TRY(parse_class_char(p, &hi));
            if (hi < lo) return bad(p, "a range that runs backwards");
        }
        TN_TRY(add_folded(p, &r, lo, hi));
    }
    node *set = new_node(p, SET);
    if (set == NULL) return no_memory(p);
    set->ranges = r.at;
    set->n_ranges = r.n;
    set->negated = negated;
    *out = set;
    return TN_OK;
}

static tn_status set_of(parser *p, node **out, const range *from, int n,
                        bool negated)
{
    ranges r = {0};
    TN_TRY(add_set(p, &r, from, n, negated));
    *out = new_node(p, SET);
    if (*out == NULL) return no_memory(p);
    (*out)->ranges = r.at;
    (*out)->n_ranges = r.n;
    return TN_OK;
}

static tn_status literal(parser *p, node **out, int32_t c)
{
    ranges r = {0};
    TN_TRY(add_folded(p, &r, c, c));
    *out = new_node(p, SET);
    if (*out == NULL) return no_memory(p);
    (*out)->ranges = r.at;
    (*out)->n_ranges = r.n;
    return TN_OK;
}

static tn_status assert_node(parser *p, node **out, assertion what)
{
    *out = new_node(p, ASSERT);
    if (*out == NULL) return no_memory(p);
    (*out)->what = what;
    return TN_OK;
}

/* After a backslash, outside a class. */
static tn_status parse_backslash(parser *p, node **out)
{
    if (p->at == p->end) return bad(p, "a backslash at the end");
    const range *set = NULL;
    int n = 0;
    bool negated = false;
    if (perl_class(*p->at, &set, &n, &negated)) {
        p->at++;
        return set_of(p, out, set, n, negated);
    }
    if (eat(p, "A")) return assert_node(p, out, LINE_BEGIN);
    if (eat(p, "z")) return assert_node(p, out, LINE_END);
    if (eat(p, "b")) return assert_node(p, out, WORD);
    if (eat(p, "B")) return assert_node(p, out, NOT_WORD);
    if (eat(p, "Q")) {
        node *cat = new_node(p, CAT);
        if (cat == NULL) return no_memory(p);
        while (p->at < p->end && !eat(p, "\\E")) {
            int32_t c = 0;
            node *one = NULL;
            TN_TRY(parse_char(p, &c));
            TN_TRY(literal(p, &one, c));
            append(cat, one);
        }
        *out = cat;
        return TN_OK;
    }
    int32_t c = 0;
    TN_TRY(parse_escape(p, &c));
    return literal(p, out, c);
}

static tn_status parse_alternatives(parser *p, node **out);

/* Flags after "(?": "i", "s", "-i" and so on; *group when ":" follows. */
static tn_status parse_flags(parser *p, bool *group)
{
    bool on = true;
    while (p->at < p->end) {
        const char c = *p->at++;
        if (c == ':' || c == ')') {
            *group = c == ':';
            return TN_OK;
        }
        switch (c) {
        case '-': on = false; break;
        case 'i': p->fold = on; break;
        case 's': p->dot_all = on; break;
        case 'U': break; /* laziness does not matter here */
        default: p->at--; return bad(p, "an unknown flag");
        }
    }
    return bad(p, "a group without end");
}

/* After "(". *out stays NULL for a mere change of flags. */
static tn_status parse_group(parser *p, node **out)
{
    const bool fold = p->fold, dot_all = p->dot_all;
    if (eat(p, "?")) {
        if (eat(p, "P<") || eat(p, "<")) {
            while (p->at < p->end && *p->at != '>') p->at++;
            if (!eat(p, ">")) return bad(p, "a group name without end");
        } else {
            bool group = false;
            TN_TRY(parse_flags(p, &group));
            if (!group) return TN_OK;
        }
    }
    if (++p->depth > MAX_DEPTH)
        return tni_fail(p->err, TN_ELIMIT, "pattern: groups nest deeper than "
                        "%d", (int)MAX_DEPTH);
    TN_TRY(parse_alternatives(p, out));
    p->depth--;
    if (!eat(p, ")")) return bad(p, "a group without end");
    p->fold = fold;
    p->dot_all = dot_all;
    return TN_OK;
}

static tn_status parse_atom(parser *p, node **out)
{
    static const range newline[] = {{'\n', '\n'}};
    *out = NULL;
    if (eat(p, "(")) return parse_group(p, out);
    if (eat(p, "[")) return parse_class(p, out);
    if (eat(p, "\\")) return parse_backslash(p, out);
    if (eat(p, "^")) return assert_node(p, out, LINE_BEGIN);
    if (eat(p, "$")) return assert_node(p, out, LINE_END);
    if (eat(p, ".")) return set_of(p, out, newline, p->dot_all ? 0 : 1, true);
    if (*p->at == '*' || *p->at == '+' || *p->at == '?')
        return bad(p, "nothing to repeat");
    int32_t c = 0;
    TN_TRY(parse_char(p, &c));
    return literal(p, out, c);
}

static bool number(const char **at, const char *end, int *out)
{
    int v = 0, n = 0;
    while (*at < end && **at >= '0' && **at <= '9' && v <= MAX_REPEAT) {
        v = v * 10 + (**at - '0');
        (*at)++;
        n++;
    }
    *out = v;
    return n > 0;
}

/* A repetition mark; false when there is none. "{" not followed by numbers is
 * a literal. */
static bool parse_counts(parser *p, int *min, int *max)
{
    if (p->at == p->end) return false;
    if (eat(p, "*") || eat(p, "+")) {
        *min = p->at[-1] == '+' ? 1 : 0;
        *max = -1;
        return true;
    }
    if (eat(p, "?")) {
        *min = 0;
        *max = 1;
        return true;
    }
    const char *at = p->at;
    if (*at++ != '{' || !number(&at, p->end, min)) return false;
    *max = *min;
    if (at < p->end && *at == ',') {
        at++;
        *max = -1;
        if (at < p->end && *at != '}' && !number(&at, p->end, max))
            return false;
    }
    if (at == p->end || *at != '}') return false;
    p->at = at + 1;
    return true;
}

static tn_status parse_repeated(parser *p, node **out)
{
    TN_TRY(parse_atom(p, out));
    int min = 0, max = 0;
    for (int stacked = 0; parse_counts(p, &min, &max); stacked++) {
        (void)eat(p, "?"); /* lazy: the same set of matches */
        if (min > MAX_REPEAT || max > MAX_REPEAT || (max >= 0 && max < min))
            return bad(p, "a bad repetition count");
        if (*out == NULL) return bad(p, "nothing to repeat");
        if (stacked >= MAX_DEPTH) return bad(p, "too many repetitions");
        node *repeat = new_node(p, REPEAT);
        if (repeat == NULL) return no_memory(p);
        append(repeat, *out);
        repeat->min = min;
        repeat->max = max;
        *out = repeat;
    }
    return TN_OK;
}

static tn_status parse_alternatives(parser *p, node **out)
{
    node *alt = new_node(p, ALT), *cat = new_node(p, CAT);
    if (alt == NULL || cat == NULL) return no_memory(p);
    append(alt, cat);
    while (p->at < p->end && *p->at != ')') {
        if (eat(p, "|")) {
            cat = new_node(p, CAT);
            if (cat == NULL) return no_memory(p);
            append(alt, cat);
            continue;
        }
        node *item = NULL;
        TN_TRY(parse_repeated(p, &item));
        if (item != NULL) append(cat, item);
    }
    *out = alt;
    return TN_OK;
}

/* --- the program --------------------------------------------------------------- */

typedef enum opcode { OP_SET, OP_SPLIT, OP_ASSERT, OP_MATCH } opcode;

typedef struct inst {
    opcode op;
    int x, y; /* SPLIT: both ways (y -1: one way); others: x is next */
    const node *set;
    assertion what;
} inst;

struct tni_regex {
    int n, cap;
    inst *code;
};

typedef struct compiler {
    tni_regex *re;
    tni_arena *arena;
    tn_err *err;
} compiler;

static tn_status emit(compiler *c, opcode op, int *at)
{
    tni_regex *re = c->re;
    if (re->n >= MAX_PROGRAM)
        return tni_fail(c->err, TN_ELIMIT,
                        "pattern: more than %d instructions",
                        (int)MAX_PROGRAM);
    if (re->n == re->cap) {
        const int cap = re->cap == 0 ? 32 : re->cap * 2;
        inst *more = TNI_NEW_ARRAY(c->arena, inst, cap);
        if (more == NULL) return tni_fail(c->err, TN_ENOMEM, "out of memory");
        if (re->n > 0) memcpy(more, re->code, (size_t)re->n * sizeof *more);
        re->code = more;
        re->cap = cap;
    }
    *at = re->n++;
    re->code[*at] = (inst){.op = op, .x = *at + 1, .y = -1};
    return TN_OK;
}

/* Every piece falls through to the instruction after it. */
static tn_status compile(compiler *c, const node *n);

static tn_status compile_alt(compiler *c, const node *n)
{
    /* split a, next; …; jump end: chained through the jumps' x. */
    int jumps = -1;
    for (const node *k = n->first; k != NULL; k = k->next) {
        int split = -1, jump = 0;
        if (k->next != NULL) TN_TRY(emit(c, OP_SPLIT, &split));
        TN_TRY(compile(c, k));
        if (k->next == NULL) break;
        TN_TRY(emit(c, OP_SPLIT, &jump));
        c->re->code[jump].x = jumps;
        jumps = jump;
        c->re->code[split].y = c->re->n;
    }
    while (jumps >= 0) {
        const int next = c->re->code[jumps].x;
        c->re->code[jumps].x = c->re->n;
        jumps = next;
    }
    return TN_OK;
}

static tn_status compile_repeat(compiler *c, const node *n)
{
    int loop = 0, split = 0;
    for (int i = 0; i < n->min; i++) {
        loop = c->re->n;
        TN_TRY(compile(c, n->first));
    }
    if (n->max < 0 && n->min > 0) { /* x+ : back to the last copy */
        TN_TRY(emit(c, OP_SPLIT, &split));
        c->re->code[split].y = loop;
        return TN_OK;
    }
    if (n->max < 0) { /* x* */
        TN_TRY(emit(c, OP_SPLIT, &split));
        TN_TRY(compile(c, n->first));
        TN_TRY(emit(c, OP_SPLIT, &loop));
        c->re->code[loop].x = split;
        c->re->code[split].y = c->re->n;
        return TN_OK;
    }
    /* The optional copies all skip to the end. */
    int skips = -1;
    for (int i = n->min; i < n->max; i++) {
        TN_TRY(emit(c, OP_SPLIT, &split));
        c->re->code[split].y = skips;
        skips = split;
        TN_TRY(compile(c, n->first));
    }
    while (skips >= 0) {
        const int next = c->re->code[skips].y;
        c->re->code[skips].y = c->re->n;
        skips = next;
    }
    return TN_OK;
}

static tn_status compile(compiler *c, const node *n)
{
    int at = 0;
    switch (n->kind) {
    case SET:
        TN_TRY(emit(c, OP_SET, &at));
        c->re->code[at].set = n;
        return TN_OK;
    case ASSERT:
        TN_TRY(emit(c, OP_ASSERT, &at));
        c->re->code[at].what = n->what;
        return TN_OK;
    case CAT:
        for (const node *k = n->first; k != NULL; k = k->next)
            TN_TRY(compile(c, k));
        return TN_OK;
    case ALT: return compile_alt(c, n);
    default: return compile_repeat(c, n);
    }
}

tn_status tni_regex_new(tni_regex **out, tn_string pattern, tni_arena *arena,
                        tn_err *err)
{
    *out = NULL;
    const char *begin = pattern.len > 0 ? pattern.ptr : "";
    parser p = {.at = begin, .begin = begin, .end = begin + pattern.len,
                .arena = arena, .err = err};
    node *tree = NULL;
    TN_TRY(parse_alternatives(&p, &tree));
    if (p.at != p.end) return bad(&p, "a ) without (");
    compiler c = {.re = TNI_NEW(arena, tni_regex), .arena = arena, .err = err};
    if (c.re == NULL) return no_memory(&p);
    int at = 0;
    TN_TRY(compile(&c, tree));
    TN_TRY(emit(&c, OP_MATCH, &at));
    *out = c.re;
    return TN_OK;
}

/* --- matching -------------------------------------------------------------------- */

/* States that a text position can be in, each with where its thread began. */
typedef struct state_set {
    int n;
    int *list;     /* instructions SET and MATCH */
    size_t *begin; /* by instruction */
    int *mark;     /* by instruction: the generation it was last added in */
} state_set;

struct tni_regex_matcher {
    const tni_regex *re;
    state_set now, next;
    int *stack;
    int generation;
};

static bool new_set(state_set *s, int n, tni_arena *arena)
{
    s->list = TNI_NEW_ARRAY(arena, int, n);
    s->begin = TNI_NEW_ARRAY(arena, size_t, n);
    s->mark = TNI_NEW_ARRAY(arena, int, n);
    return s->list != NULL && s->begin != NULL && s->mark != NULL;
}

tni_regex_matcher *tni_regex_matcher_new(const tni_regex *re, tni_arena *arena)
{
    tni_regex_matcher *m = TNI_NEW(arena, tni_regex_matcher);
    if (m == NULL || !new_set(&m->now, re->n, arena) ||
        !new_set(&m->next, re->n, arena))
        return NULL;
    m->stack = TNI_NEW_ARRAY(arena, int, 2 * (size_t)re->n + 1);
    if (m->stack == NULL) return NULL;
    m->re = re;
    return m;
}

static bool is_word(tn_string text, size_t at)
{
    if (at >= text.len) return false;
    const char c = text.ptr[at];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= 'a' && c <= 'z');
}

static bool holds(assertion what, tn_string text, size_t at)
{
    if (what == LINE_BEGIN) return at == 0;
    if (what == LINE_END) return at == text.len;
    const bool edge = (at > 0 && is_word(text, at - 1)) != is_word(text, at);
    return what == WORD ? edge : !edge;
}

/* Adds instruction `pc` and all that it reaches without a character. Threads
 * must be added in the order of where they began. */
static void add(tni_regex_matcher *m, state_set *s, int pc, size_t began,
                tn_string text, size_t at)
{
    int n = 0;
    m->stack[n++] = pc;
    while (n > 0) {
        pc = m->stack[--n];
        if (s->mark[pc] == m->generation) continue;
        s->mark[pc] = m->generation;
        const inst *i = &m->re->code[pc];
        if (i->op == OP_SET || i->op == OP_MATCH) {
            s->begin[pc] = began;
            s->list[s->n++] = pc;
            continue;
        }
        if (i->op == OP_ASSERT && !holds(i->what, text, at)) continue;
        if (i->y >= 0) m->stack[n++] = i->y;
        m->stack[n++] = i->x;
    }
}

static bool in_set(const node *set, int32_t c)
{
    bool in = false;
    for (int i = 0; i < set->n_ranges && !in; i++)
        in = c >= set->ranges[i].lo && c <= set->ranges[i].hi;
    return in != set->negated;
}

static void fresh(tni_regex_matcher *m, state_set *s)
{
    if (m->generation == INT32_MAX) {
        memset(m->now.mark, 0, (size_t)m->re->n * sizeof(int));
        memset(m->next.mark, 0, (size_t)m->re->n * sizeof(int));
        m->generation = 0;
    }
    m->generation++;
    s->n = 0;
}

/* `full`: only matches of the whole text from its beginning. */
static bool search(tni_regex_matcher *m, tn_string text, size_t from,
                   bool full, size_t *begin, size_t *end)
{
    bool found = false;
    fresh(m, &m->now);
    for (size_t at = from;;) {
        if (!found && (!full || at == from))
            add(m, &m->now, 0, at, text, at);
        for (int k = 0; k < m->now.n; k++) {
            const int pc = m->now.list[k];
            if (m->re->code[pc].op != OP_MATCH) continue;
            if (full && at != text.len) continue;
            if (!found || m->now.begin[pc] <= *begin) {
                *begin = m->now.begin[pc];
                *end = at;
                found = true;
            }
        }
        if (at >= text.len || (m->now.n == 0 && (found || full))) break;
        size_t len = 1;
        const int32_t c =
            tni_utf8_decode(text.ptr + at, text.ptr + text.len, &len);
        fresh(m, &m->next);
        for (int k = 0; k < m->now.n; k++) {
            const int pc = m->now.list[k];
            const inst *i = &m->re->code[pc];
            if (i->op != OP_SET || c < 0 || !in_set(i->set, c)) continue;
            if (found && m->now.begin[pc] > *begin) continue;
            add(m, &m->next, i->x, m->now.begin[pc], text, at + len);
        }
        const state_set t = m->now;
        m->now = m->next;
        m->next = t;
        at += len;
    }
    return found;
}

bool tni_regex_full(tni_regex_matcher *m, tn_string text)
{
    size_t begin = 0, end = 0;
    return search(m, text, 0, true, &begin, &end);
}

bool tni_regex_find(tni_regex_matcher *m, tn_string text, size_t from,
                    size_t *begin, size_t *end)
{
    return search(m, text, from, false, begin, end);
}
