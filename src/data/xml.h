/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml.h - reading XML as a stream of elements, and writing it
 *
 * What annotation files are made of: elements, attributes, and text inside
 * elements that have no children. Everything else that could carry meaning is
 * refused with line and column rather than dropped: entity declarations (and
 * with them entity bombs and external files), text beside child elements.
 */
#ifndef TN_SRC_DATA_XML_H
#define TN_SRC_DATA_XML_H

#include "base/alloc.h"
#include "base/err.h"

typedef struct tni_xml tni_xml;

/*
 * Called in document order; anything but TN_OK stops the reading and is what
 * it returns. `attrs` is name, value, name, value, ..., NULL. Everything is
 * UTF-8, terminated and borrowed for the call.
 */
typedef struct tni_xml_handler {
    void *ctx;
    tn_status (*start)(void *ctx, tni_xml *x, const char *name,
                       const char *const *attrs);
    /* text: what is inside an element without children, as it stands; NULL
     * for one with children. May be NULL itself. */
    tn_status (*end)(void *ctx, tni_xml *x, const char *name, const char *text,
                     size_t len);
} tni_xml_handler;

typedef struct tni_xml_limits {
    uint32_t max_depth;    /* 0: 32, at most 256 */
    size_t max_text_bytes; /* of one element; 0: 64 MiB */
    uint64_t max_elements; /* 0: 2^32 */
} tni_xml_limits;

/*
 * Reads a whole document from memory. limits may be NULL; text is collected in
 * memory of `mem`. err->line and err->offset say where.
 * TN_EUNSUPPORTED when this build has no expat.
 */
tn_status tni_xml_read(const tni_xml_handler *handler, const void *bytes,
                       size_t size, const tni_xml_limits *limits, tni_mem *mem,
                       tn_err *err);

/* For handlers: where the reader is. */
int64_t tni_xml_line(const tni_xml *x);
uint64_t tni_xml_offset(const tni_xml *x);
/* How deep: 1 in the handler of the root element. */
uint32_t tni_xml_depth(const tni_xml *x);
/* "line 3, column 5: message"; returns TN_EFORMAT. */
tn_status tni_xml_fail(tni_xml *x, const char *fmt, ...) TN_PRINTF(2, 3);

/* The value of an attribute; NULL when there is none. */
const char *tni_xml_attr(const char *const *attrs, const char *name);
/* The same as a number; missing or not one (to the last byte) is an error
 * that names the element's attribute. */
tn_status tni_xml_attr_i64(tni_xml *x, const char *const *attrs,
                           const char *name, int64_t *v);
tn_status tni_xml_attr_f64(tni_xml *x, const char *const *attrs,
                           const char *name, double *v);
/* Text, spaces around it ignored, as a number; `what` is for the message. */
tn_status tni_xml_text_f64(tni_xml *x, const char *what, const char *text,
                           size_t len, double *v);

/* --- writing ---------------------------------------------------------------- */

enum { TNI_XML_OUT_DEPTH = 32 };

/* Writes indented UTF-8. Errors stick: check the last call's. */
typedef struct tni_xml_out {
    void *ctx;
    tn_status (*write)(void *ctx, const void *bytes, size_t size, tn_err *err);
    tn_err *err;
    tn_status status;
    const char *open[TNI_XML_OUT_DEPTH]; /* names, borrowed until closed */
    int depth;
    bool in_tag;        /* "<name ..." is not closed yet */
    bool has_text;      /* the open element holds text */
    const char *indent; /* per level; "  " when NULL */
} tni_xml_out;

void tni_xml_out_open(tni_xml_out *o, const char *name);
/* Right after open. */
void tni_xml_out_attr(tni_xml_out *o, const char *name, const char *value);
/* Escaped; TN_EINVAL for what XML cannot hold (control characters, broken
 * UTF-8). */
void tni_xml_out_text(tni_xml_out *o, const char *text, size_t len);
void tni_xml_out_close(tni_xml_out *o);
/* <name>text</name> */
void tni_xml_out_leaf(tni_xml_out *o, const char *name, const char *text);
/* Closes what is open; TN_OK or the first error. */
tn_status tni_xml_out_end(tni_xml_out *o);

#endif
