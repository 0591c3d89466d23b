/* SPDX-License-Identifier: Apache-2.0 */
/* xml_read.c - reading XML as a stream of elements (over expat) */
#include "base/num.h"
#include "data/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 256 };

const char *tni_xml_attr(const char *const *attrs, const char *name)
{
    for (; *attrs != NULL; attrs += 2)
        if (strcmp(attrs[0], name) == 0) return attrs[1];
    return NULL;
}

tn_status tni_xml_attr_i64(tni_xml *x, const char *const *attrs,
                           const char *name, int64_t *v)
{
    const char *text = tni_xml_attr(attrs, name);
    size_t used = 0;
    if (text == NULL)
        return tni_xml_fail(x, "the attribute '%s' is missing", name);
    const size_t len = strlen(text);
    if (!tni_num_parse_i64(v, &used, text, len) || used != len)
        return tni_xml_fail(x, "%s=\"%.40s\"; expected a whole number", name,
                            text);
    return TN_OK;
}

tn_status tni_xml_attr_f64(tni_xml *x, const char *const *attrs,
                           const char *name, double *v)
{
    const char *text = tni_xml_attr(attrs, name);
    if (text == NULL)
        return tni_xml_fail(x, "the attribute '%s' is missing", name);
    return tni_xml_text_f64(x, name, text, strlen(text), v);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

tn_status tni_xml_text_f64(tni_xml *x, const char *what, const char *text,
                           size_t len, double *v)
{
    size_t used = 0;
    while (len > 0 && is_space(text[len - 1])) len--;
    while (len > 0 && is_space(*text)) {
        text++;
        len--;
    }
    if (!tni_num_parse_f64(v, &used, text, len) || used != len)
        return tni_xml_fail(x, "%s is '%.*s'; expected a number", what,
                            (int)(len < 40 ? len : 40), text);
    return TN_OK;
}

#if !defined(TN_WITH_XML)

/* Never made in this build. */
struct tni_xml {
    tn_err *err;
};

int64_t tni_xml_line(const tni_xml *x)
{
    (void)x;
    return 0;
}

uint64_t tni_xml_offset(const tni_xml *x)
{
    (void)x;
    return 0;
}

uint32_t tni_xml_depth(const tni_xml *x)
{
    (void)x;
    return 0;
}

tn_status tni_xml_fail(tni_xml *x, const char *fmt, ...)
{
    (void)x;
    (void)fmt;
    return TN_EINTERNAL;
}

tn_status tni_xml_read(const tni_xml_handler *handler, const void *bytes,
                       size_t size, const tni_xml_limits *limits, tni_mem *mem,
                       tn_err *err)
{
    (void)handler;
    (void)bytes;
    (void)size;
    (void)limits;
    (void)mem;
    return tni_fail(err, TN_EUNSUPPORTED,
                    "this build was made without expat and reads no XML; "
                    "rebuild with it");
}

#else

#include <expat.h>

struct tni_xml {
    XML_Parser parser;
    const tni_xml_handler *handler;
    tni_xml_limits limits;
    tni_mem *mem;
    tn_err *err;
    tn_status status; /* the first that was not TN_OK */
    uint32_t depth;
    uint64_t n_elements;
    bool has_child[MAX_DEPTH + 1]; /* by depth */
    char *text;                    /* since the last tag */
    size_t len, cap;
};

int64_t tni_xml_line(const tni_xml *x)
{
    return (int64_t)XML_GetCurrentLineNumber(x->parser);
}

uint64_t tni_xml_offset(const tni_xml *x)
{
    const XML_Index at = XML_GetCurrentByteIndex(x->parser);
    return at > 0 ? (uint64_t)at : 0;
}

uint32_t tni_xml_depth(const tni_xml *x)
{
    return x->depth;
}

TN_PRINTF(3, 0)
static tn_status fail_list(tni_xml *x, tn_status code, const char *fmt,
                           va_list args)
{
    char text[256];
    (void)vsnprintf(text, sizeof text, fmt, args);
    const int64_t line = tni_xml_line(x);
    if (x->err != NULL)
        x->err->line = (int32_t)(line < INT32_MAX ? line : INT32_MAX);
    return tni_fail_at(
        x->err, code, tni_xml_offset(x), "line %lld, column %llu: %s",
        (long long)line,
        (unsigned long long)XML_GetCurrentColumnNumber(x->parser) + 1, text);
}

tn_status tni_xml_fail(tni_xml *x, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const tn_status status = fail_list(x, TN_EFORMAT, fmt, args);
    va_end(args);
    return status;
}

TN_PRINTF(3, 4)
static tn_status fail_as(tni_xml *x, tn_status code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const tn_status status = fail_list(x, code, fmt, args);
    va_end(args);
    return status;
}

static void stop(tni_xml *x, tn_status status)
{
    if (status == TN_OK || x->status != TN_OK) return;
    x->status = status;
    (void)XML_StopParser(x->parser, XML_FALSE);
}

/* Text beside children must be white space. */
static tn_status check_blank(tni_xml *x)
{
    for (size_t i = 0; i < x->len; i++)
        if (!is_space(x->text[i]))
            return tni_xml_fail(x, "text ('%.*s') beside child elements",
                                (int)(x->len - i < 20 ? x->len - i : 20),
                                x->text + i);
    x->len = 0;
    return TN_OK;
}

static void XMLCALL on_start(void *ctx, const char *name, const char **attrs)
{
    tni_xml *x = ctx;
    if (x->status != TN_OK) return;
    if (x->depth >= x->limits.max_depth) {
        stop(x, fail_as(x, TN_ELIMIT, "more than %u levels of elements",
                        (unsigned)x->limits.max_depth));
        return;
    }
    if (++x->n_elements > x->limits.max_elements) {
        stop(x, fail_as(x, TN_ELIMIT, "more than %llu elements",
                        (unsigned long long)x->limits.max_elements));
        return;
    }
    x->has_child[x->depth] = true;
    stop(x, check_blank(x));
    if (x->status != TN_OK) return;
    x->has_child[++x->depth] = false;
    if (x->handler->start != NULL)
        stop(x, x->handler->start(x->handler->ctx, x, name,
                                  (const char *const *)attrs));
}

static void XMLCALL on_end(void *ctx, const char *name)
{
    tni_xml *x = ctx;
    if (x->status != TN_OK) return;
    const bool leaf = !x->has_child[x->depth];
    if (!leaf) stop(x, check_blank(x));
    if (x->status == TN_OK && x->handler->end != NULL) {
        if (leaf && x->text != NULL) x->text[x->len] = '\0';
        const char *text = x->text != NULL ? x->text : "";
        stop(x, x->handler->end(x->handler->ctx, x, name, leaf ? text : NULL,
                                leaf ? x->len : 0));
    }
    x->len = 0;
    x->depth--;
}

static void XMLCALL on_text(void *ctx, const char *s, int n)
{
    tni_xml *x = ctx;
    const size_t more = (size_t)n;
    if (x->status != TN_OK) return;
    if (x->limits.max_text_bytes - x->len < more) {
        stop(x, fail_as(x, TN_ELIMIT, "more than %zu bytes of text",
                        x->limits.max_text_bytes));
        return;
    }
    if (x->cap - x->len <= more) { /* one more for the terminator */
        const size_t cap = 2 * x->cap + more + 256;
        char *text = tni_mem_alloc(x->mem, cap, 1);
        if (text == NULL) {
            stop(x, tni_fail(x->err, TN_ENOMEM, "out of memory"));
            return;
        }
        if (x->len != 0) memcpy(text, x->text, x->len);
        tni_mem_free(x->mem, x->text, x->cap, 1);
        x->text = text;
        x->cap = cap;
    }
    memcpy(x->text + x->len, s, more);
    x->len += more;
}

static void XMLCALL on_entity(void *ctx, const char *name, int is_parameter,
                              const char *value, int value_len,
                              const char *base, const char *system_id,
                              const char *public_id, const char *notation)
{
    tni_xml *x = ctx;
    (void)is_parameter;
    (void)value;
    (void)value_len;
    (void)base;
    (void)system_id;
    (void)public_id;
    (void)notation;
    if (x->status == TN_OK)
        stop(x, tni_xml_fail(x,
                             "the file declares an entity ('%.40s'); entities "
                             "are not read, write the text out",
                             name));
}

static void XMLCALL on_skipped(void *ctx, const char *name, int is_parameter)
{
    tni_xml *x = ctx;
    (void)is_parameter;
    if (x->status == TN_OK)
        stop(x,
             tni_xml_fail(x, "the entity '%.40s' is not defined here", name));
}

static tn_status feed(tni_xml *x, const char *bytes, size_t size)
{
    static const size_t part = (size_t)1 << 20;
    do {
        const size_t n = size < part ? size : part;
        const enum XML_Status s =
            XML_Parse(x->parser, bytes, (int)n, size == n);
        if (x->status != TN_OK) return x->status;
        if (s != XML_STATUS_OK) {
            const enum XML_Error e = XML_GetErrorCode(x->parser);
            if (e == XML_ERROR_NO_MEMORY)
                return tni_fail(x->err, TN_ENOMEM, "out of memory");
            if (e == XML_ERROR_UNKNOWN_ENCODING)
                return tni_xml_fail(x, "the encoding is none of UTF-8, UTF-16, "
                                       "ISO-8859-1 and US-ASCII; convert the "
                                       "file to UTF-8");
            return tni_xml_fail(x, "%s", XML_ErrorString(e));
        }
        bytes += n;
        size -= n;
    } while (size > 0);
    return TN_OK;
}

tn_status tni_xml_read(const tni_xml_handler *handler, const void *bytes,
                       size_t size, const tni_xml_limits *limits, tni_mem *mem,
                       tn_err *err)
{
    tni_xml x;
    memset(&x, 0, sizeof x);
    if (limits != NULL) x.limits = *limits;
    if (x.limits.max_depth == 0) x.limits.max_depth = 32;
    if (x.limits.max_depth > MAX_DEPTH) x.limits.max_depth = MAX_DEPTH;
    if (x.limits.max_text_bytes == 0)
        x.limits.max_text_bytes = (size_t)64 << 20;
    if (x.limits.max_elements == 0) x.limits.max_elements = (uint64_t)1 << 32;
    x.handler = handler;
    x.mem = mem;
    x.err = err;
    x.parser = XML_ParserCreate(NULL);
    if (x.parser == NULL) return tni_fail(err, TN_ENOMEM, "out of memory");
    XML_SetUserData(x.parser, &x);
    XML_SetElementHandler(x.parser, on_start, on_end);
    XML_SetCharacterDataHandler(x.parser, on_text);
    XML_SetEntityDeclHandler(x.parser, on_entity);
    XML_SetSkippedEntityHandler(x.parser, on_skipped);
    const tn_status status = feed(&x, bytes, size);
    tni_mem_free(mem, x.text, x.cap, 1);
    XML_ParserFree(x.parser);
    return status;
}

#endif
