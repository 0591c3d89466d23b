/* SPDX-License-Identifier: Apache-2.0 */
/* tar.c - reading tar archives as spans of memory */
#include "data/tar.h"

#include <string.h>

enum { BLOCK = 512 };

/* Fields of a header block. */
enum {
    NAME = 0,
    SIZE = 124,
    SUM = 148,
    KIND = 156,
    LINK = 157,
    MAGIC = 257,
    PREFIX = 345
};

/* What extension headers said of the entry that follows. */
typedef struct extra {
    const char *name, *target; /* NULL: nothing */
    bool has_size;
    uint64_t size;
} extra;

void tni_tar_init(tni_tar *t, const void *bytes, size_t size, tni_arena *arena,
                  tn_err *err)
{
    memset(t, 0, sizeof *t);
    t->bytes = bytes;
    t->size = size;
    t->arena = arena;
    t->err = err;
}

const char *tni_tar_unsafe(const char *name, size_t len)
{
    if (len == 0) return "an empty path";
    if (name[0] == '/') return "an absolute path";
    if (len >= 2 && name[1] == ':' &&
        ((name[0] >= 'a' && name[0] <= 'z') ||
         (name[0] >= 'A' && name[0] <= 'Z')))
        return "a path with a drive";
    for (size_t i = 0; i < len;) {
        size_t end = i;
        for (; end < len && name[end] != '/'; end++) {
            if (name[end] == '\0') return "a path with a NUL byte";
            if (name[end] == '\\') return "a path with a backslash";
        }
        if (end - i == 2 && name[i] == '.' && name[i + 1] == '.')
            return "a path that leaves by '..'";
        i = end + 1;
    }
    return NULL;
}

/* An octal field, or GNU's base 256 with the high bit set. */
static tn_status number(tni_tar *t, uint64_t *v, const uint8_t *p, size_t len,
                        size_t at)
{
    *v = 0;
    if ((p[0] & 0x80) != 0) {
        if (p[0] != 0x80) goto bad; /* negative or beyond 2^64 */
        for (size_t i = 1; i < len; i++) {
            if (*v >> 56 != 0) goto bad;
            *v = *v << 8 | p[i];
        }
        return TN_OK;
    }
    size_t i = 0;
    while (i < len && p[i] == ' ') i++;
    for (; i < len && p[i] >= '0' && p[i] <= '7'; i++) {
        if (*v >> 61 != 0) goto bad;
        *v = *v * 8 + (uint64_t)(p[i] - '0');
    }
    for (; i < len; i++)
        if (p[i] != ' ' && p[i] != '\0') goto bad;
    return TN_OK;
bad:
    return tni_fail_at(t->err, TN_EFORMAT, at,
                       "a number of the header is '%.*s'; expected octal "
                       "digits",
                       (int)len, (const char *)p);
}

static bool all_zero(const uint8_t *p)
{
    for (int i = 0; i < BLOCK; i++)
        if (p[i] != 0) return false;
    return true;
}

static tn_status check_sum(tni_tar *t, const uint8_t *h, size_t at)
{
    uint64_t want = 0, sum = 0;
    int64_t old = 0; /* some old writers summed signed bytes */
    TN_TRY(number(t, &want, h + SUM, 8, at));
    for (int i = 0; i < BLOCK; i++) {
        const uint8_t c = i >= SUM && i < SUM + 8 ? ' ' : h[i];
        sum += c;
        old += (int8_t)c;
    }
    if (sum == want || (old >= 0 && (uint64_t)old == want)) return TN_OK;
    return tni_fail_at(t->err, TN_EFORMAT, at,
                       "the header's checksum is %llu, its bytes add up to "
                       "%llu; this is no tar header, or it is damaged",
                       (unsigned long long)want, (unsigned long long)sum);
}

static size_t text_len(const uint8_t *p, size_t max)
{
    size_t n = 0;
    while (n < max && p[n] != 0) n++;
    return n;
}

static tn_status keep(tni_tar *t, const char **out, const char *text,
                      size_t len, size_t at)
{
    if (len > TNI_TAR_MAX_NAME)
        return tni_fail_at(t->err, TN_EFORMAT, at,
                           "a name of %zu bytes; at most %d are read", len,
                           TNI_TAR_MAX_NAME);
    *out = tni_arena_strndup(t->arena, text, len);
    return *out != NULL ? TN_OK : tni_fail(t->err, TN_ENOMEM, "out of memory");
}

/* The name out of the header: prefix/name in ustar. */
static tn_status header_name(tni_tar *t, const char **out, const uint8_t *h,
                             size_t at)
{
    char text[155 + 1 + 100];
    size_t n = 0;
    if (memcmp(h + MAGIC, "ustar\0", 6) == 0) {
        n = text_len(h + PREFIX, 155);
        memcpy(text, h + PREFIX, n);
        if (n > 0) text[n++] = '/';
    }
    const size_t len = text_len(h + NAME, 100);
    memcpy(text + n, h + NAME, len);
    return keep(t, out, text, n + len, at);
}

static bool key_is(const char *key, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(key, name, len) == 0;
}

static tn_status pax_record(tni_tar *t, extra *x, const char *key,
                            size_t key_len, const char *value, size_t len,
                            size_t at)
{
    if (key_len >= 10 && memcmp(key, "GNU.sparse", 10) == 0)
        return tni_fail_at(t->err, TN_EUNSUPPORTED, at,
                           "a sparse file; pack it without --sparse");
    if (key_is(key, key_len, "path")) {
        if (memchr(value, 0, len) != NULL)
            return tni_fail_at(t->err, TN_EFORMAT, at,
                               "a path with a NUL byte");
        return keep(t, &x->name, value, len, at);
    }
    if (key_is(key, key_len, "linkpath"))
        return keep(t, &x->target, value, len, at);
    if (!key_is(key, key_len, "size")) return TN_OK; /* times, owners */
    x->has_size = true;
    x->size = 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9' || x->size > UINT64_MAX / 10 - 1)
            return tni_fail_at(t->err, TN_EFORMAT, at,
                               "the size in a pax header is '%.*s'",
                               (int)(len < 30 ? len : 30), value);
        x->size = x->size * 10 + (uint64_t)(value[i] - '0');
    }
    return TN_OK;
}

/* "LENGTH KEY=VALUE\n" ..., the length being of the whole record. */
static tn_status pax(tni_tar *t, extra *x, const char *p, size_t size,
                     size_t at)
{
    for (size_t i = 0; i < size;) {
        size_t len = 0, d = i;
        for (; d < size && p[d] >= '0' && p[d] <= '9' && d - i < 9; d++)
            len = len * 10 + (size_t)(p[d] - '0');
        const char *equal = d < size ? memchr(p + d, '=', size - d) : NULL;
        if (d == i || d >= size || p[d] != ' ' || len > size - i ||
            len < d - i + 3 || p[i + len - 1] != '\n' || equal == NULL ||
            equal >= p + i + len - 1)
            return tni_fail_at(t->err, TN_EFORMAT, at + BLOCK + i,
                               "a broken record in a pax header; expected "
                               "'length key=value'");
        const char *key = p + d + 1, *value = equal + 1;
        TN_TRY(pax_record(t, x, key, (size_t)(equal - key), value,
                          (size_t)(p + i + len - 1 - value), at));
        i += len;
    }
    return TN_OK;
}

static tn_status finish(tni_tar *t, tni_tar_entry *e, const uint8_t *h,
                        const extra *x, size_t at)
{
    e->name = x->name;
    if (e->name == NULL) TN_TRY(header_name(t, &e->name, h, at));
    while (e->name[0] == '.' && e->name[1] == '/') e->name += 2;
    e->target = NULL;
    if (e->kind == TNI_TAR_LINK) {
        e->target = x->target;
        if (e->target == NULL)
            TN_TRY(keep(t, &e->target, (const char *)h + LINK,
                        text_len(h + LINK, 100), at));
    }
    /* The folder itself, "./", is the one empty name that is harmless. */
    if (e->kind == TNI_TAR_FOLDER &&
        (e->name[0] == '\0' || strcmp(e->name, ".") == 0))
        return TN_OK;
    const char *wrong = tni_tar_unsafe(e->name, strlen(e->name));
    if (wrong == NULL) return TN_OK;
    return tni_fail_at(t->err, TN_EFORMAT, at,
                       "'%.100s' is %s; names in an archive must stay below "
                       "the folder it is unpacked into",
                       e->name, wrong);
}

/* Kind of the entry; false for what is not one. */
static bool kind_of(tni_tar_kind *kind, uint8_t c)
{
    switch (c) {
    case '0':
    case '\0':
    case '7': *kind = TNI_TAR_FILE; return true;
    case '5': *kind = TNI_TAR_FOLDER; return true;
    case '1':
    case '2': *kind = TNI_TAR_LINK; return true;
    case '3':
    case '4':
    case '6': *kind = TNI_TAR_DEVICE; return true;
    default: return false;
    }
}

/* The header at t->at and the span behind it; moves t->at to the next. */
static tn_status read_header(tni_tar *t, const extra *x, const uint8_t **h,
                             uint64_t *size)
{
    const size_t at = t->at;
    if (t->size - at < BLOCK)
        return tni_fail_at(t->err, TN_EFORMAT, t->size,
                           "the archive ends inside a header at byte %zu; it "
                           "is cut short",
                           at);
    *h = t->bytes + at;
    TN_TRY(check_sum(t, *h, at));
    TN_TRY(number(t, size, *h + SIZE, 12, at));
    const uint8_t kind = (*h)[KIND];
    if (kind == '1' || kind == '2' || kind == '5' || kind == '3' ||
        kind == '4' || kind == '6')
        *size = 0;
    else if (x->has_size && kind != 'x' && kind != 'g' && kind != 'L' &&
             kind != 'K')
        *size = x->size;
    if (*size > t->size - at - BLOCK)
        return tni_fail_at(t->err, TN_EFORMAT, at,
                           "an entry of %llu bytes, but only %zu follow; the "
                           "archive is cut short",
                           (unsigned long long)*size, t->size - at - BLOCK);
    const uint64_t padded = (*size + BLOCK - 1) / BLOCK * BLOCK;
    const uint64_t left = t->size - at - BLOCK;
    t->at += BLOCK + (size_t)(padded < left ? padded : left);
    return TN_OK;
}

static tn_status extension(tni_tar *t, extra *x, const uint8_t *h, size_t size,
                           size_t at)
{
    const char *p = (const char *)h + BLOCK;
    switch (h[KIND]) {
    case 'x': return pax(t, x, p, size, at);
    case 'g': {
        /* Of all entries that follow: comments, in practice. */
        extra global = {NULL, NULL, false, 0};
        TN_TRY(pax(t, &global, p, size, at));
        if (global.name != NULL || global.target != NULL || global.has_size)
            return tni_fail_at(t->err, TN_EUNSUPPORTED, at,
                               "a global pax header that names every file the "
                               "same");
        return TN_OK;
    }
    case 'L': return keep(t, &x->name, p, text_len(h + BLOCK, size), at);
    case 'K': return keep(t, &x->target, p, text_len(h + BLOCK, size), at);
    case 'S':
        return tni_fail_at(t->err, TN_EUNSUPPORTED, at,
                           "a sparse file; pack it without --sparse");
    default:
        return tni_fail_at(t->err, TN_EUNSUPPORTED, at,
                           "an entry of kind 0x%02x; expected files, folders, "
                           "links and pax headers",
                           h[KIND]);
    }
}

tn_status tni_tar_next(tni_tar *t, tni_tar_entry *e, bool *more)
{
    extra x = {NULL, NULL, false, 0};
    *more = false;
    memset(e, 0, sizeof *e);
    for (int extended = 0;; extended++) {
        if (t->at == t->size ||
            (t->size - t->at >= BLOCK && all_zero(t->bytes + t->at))) {
            if (extended > 0 &&
                (x.name != NULL || x.has_size || x.target != NULL))
                return tni_fail_at(t->err, TN_EFORMAT, t->at,
                                   "the archive ends behind an extension "
                                   "header; it is cut short");
            t->cut = t->at == t->size;
            t->at = t->size;
            return TN_OK;
        }
        const size_t at = t->at;
        const uint8_t *h = NULL;
        uint64_t size = 0;
        TN_TRY(read_header(t, &x, &h, &size));
        if (!kind_of(&e->kind, h[KIND])) {
            if (extended == 16)
                return tni_fail_at(t->err, TN_EFORMAT, at,
                                   "more than 16 extension headers for one "
                                   "entry");
            TN_TRY(extension(t, &x, h, (size_t)size, at));
            continue;
        }
        e->bytes = h + BLOCK;
        e->size = (size_t)size;
        e->offset = at;
        TN_TRY(finish(t, e, h, &x, at));
        /* Old tar marks folders by a slash alone. */
        const size_t len = strlen(e->name);
        if (e->kind == TNI_TAR_FILE && len > 0 && e->name[len - 1] == '/')
            e->kind = TNI_TAR_FOLDER;
        *more = true;
        return TN_OK;
    }
}
