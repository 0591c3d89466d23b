/* SPDX-License-Identifier: Apache-2.0 */
/* xml_out.c - writing XML */
#include "base/utf8.h"
#include "data/xml.h"

#include <string.h>

static void put(tni_xml_out *o, const char *text, size_t len)
{
    if (o->status == TN_OK && len > 0)
        o->status = o->write(o->ctx, text, len, o->err);
}

static void put_string(tni_xml_out *o, const char *text)
{
    put(o, text, strlen(text));
}

static void fail(tni_xml_out *o, const char *message, const char *what)
{
    if (o->status == TN_OK)
        o->status = tni_fail(o->err, TN_EINVAL, "%s: '%.60s'", message, what);
}

/* Whether XML 1.0 can hold the text: UTF-8 without control characters but
 * tab and line ends, and without U+FFFE and U+FFFF. */
static bool can_hold(const char *text, size_t len)
{
    if (tni_utf8_valid(text, len) != len) return false;
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
        if (c == 0xef && len - i >= 3 && (unsigned char)text[i + 1] == 0xbf &&
            (unsigned char)text[i + 2] > 0xbd)
            return false;
    }
    return true;
}

static const char *escape_of(char c, bool quoted)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '\r': return "&#13;";
    case '"': return quoted ? "&quot;" : NULL;
    case '\n': return quoted ? "&#10;" : NULL;
    case '\t': return quoted ? "&#9;" : NULL;
    default: return NULL;
    }
}

static void put_escaped(tni_xml_out *o, const char *text, size_t len,
                        bool quoted)
{
    if (!can_hold(text, len)) {
        fail(o,
             "a text holds what XML cannot (a control character or broken "
             "UTF-8)",
             text);
        return;
    }
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        const char *escape = escape_of(text[i], quoted);
        if (escape == NULL) continue;
        put(o, text + from, i - from);
        put_string(o, escape);
        from = i + 1;
    }
    put(o, text + from, len - from);
}

static bool is_name(const char *name)
{
    const unsigned char first = (unsigned char)name[0];
    if (first == '\0' || first == '-' || first == '.' ||
        (first >= '0' && first <= '9'))
        return false;
    for (const char *p = name; *p != '\0'; p++) {
        const char c = *p;
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return true;
}

static void new_line(tni_xml_out *o)
{
    put_string(o, "\n");
    for (int i = 0; i < o->depth; i++)
        put_string(o, o->indent != NULL ? o->indent : "  ");
}

static void finish_tag(tni_xml_out *o)
{
    if (o->in_tag) put_string(o, ">");
    o->in_tag = false;
}

void tni_xml_out_open(tni_xml_out *o, const char *name)
{
    finish_tag(o);
    if (!is_name(name)) fail(o, "not a name of an element", name);
    if (o->depth == TNI_XML_OUT_DEPTH) fail(o, "too many levels", name);
    if (o->has_text) fail(o, "an element beside text", name);
    if (o->status != TN_OK) return;
    if (o->depth > 0) new_line(o);
    put_string(o, "<");
    put_string(o, name);
    o->open[o->depth++] = name;
    o->in_tag = true;
}

void tni_xml_out_attr(tni_xml_out *o, const char *name, const char *value)
{
    if (!is_name(name)) fail(o, "not a name of an attribute", name);
    if (!o->in_tag) fail(o, "an attribute outside of a tag", name);
    put_string(o, " ");
    put_string(o, name);
    put_string(o, "=\"");
    put_escaped(o, value, strlen(value), true);
    put_string(o, "\"");
}

void tni_xml_out_text(tni_xml_out *o, const char *text, size_t len)
{
    if (len == 0) return;
    if (!o->in_tag && !o->has_text) fail(o, "text beside elements", text);
    finish_tag(o);
    put_escaped(o, text, len, false);
    o->has_text = true;
}

void tni_xml_out_close(tni_xml_out *o)
{
    if (o->depth == 0) {
        fail(o, "nothing is open", "");
        return;
    }
    o->depth--;
    if (o->in_tag) {
        put_string(o, "/>");
    } else {
        if (!o->has_text) new_line(o);
        put_string(o, "</");
        put_string(o, o->open[o->depth]);
        put_string(o, ">");
    }
    o->in_tag = o->has_text = false;
    if (o->depth == 0) put_string(o, "\n");
}

void tni_xml_out_leaf(tni_xml_out *o, const char *name, const char *text)
{
    tni_xml_out_open(o, name);
    if (text[0] == '\0') finish_tag(o);
    tni_xml_out_text(o, text, strlen(text));
    o->has_text = true; /* <name></name> on one line */
    tni_xml_out_close(o);
}

tn_status tni_xml_out_end(tni_xml_out *o)
{
    while (o->depth > 0) tni_xml_out_close(o);
    return o->status;
}
