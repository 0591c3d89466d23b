/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xmltree.h - elements of XML as small trees, and XML as JSON and back
 *
 * Formats whose elements come in any order look at one record (an image, a
 * track) as a whole. The file is read as a stream; only the record at hand is
 * in memory.
 *
 * What no format defines is kept as a member of JSON: an element without
 * attributes and children is a string, any other an object with "@name" for
 * attributes, "#text", and its children by name; several of a name are an
 * array.
 */
#ifndef TN_SRC_DATA_FORMATS_XMLTREE_H
#define TN_SRC_DATA_FORMATS_XMLTREE_H

#include "data/formats/jsonfile.h"
#include "data/xml.h"

typedef struct tni_xnode {
    const char *name;
    const char *const *attrs; /* name, value, ..., NULL */
    tni_span text;            /* of an element without children */
    struct tni_xnode *first, *last, *next;
    uint64_t offset;
    int64_t line;
} tni_xnode;

/* A file that is being read. */
typedef struct tni_xtree {
    tni_reader *r;
    const char *path, *root; /* root: what its outermost element is called */
    uint32_t source;
    uint32_t depth; /* of the elements handed over; 1: the root */
    tn_err *err;
    void *ctx;
    /* Called with each; it is gone afterwards. */
    tn_status (*take)(void *ctx, const struct tni_xtree *t, const tni_xnode *n);
    bool other_root; /* the root was another: nothing has been read */
    tni_arena arena;
    tni_xnode *open[64];
    uint32_t n_open;
} tni_xtree;

/* Set r, path, root, depth, err, ctx and take; the rest is zero. A file with
 * another root is TN_EFORMAT and sets other_root. */
tn_status tni_xtree_read(tni_xtree *t);

uint64_t tni_xnode_where(const tni_xtree *t, const tni_xnode *n);
/* "line 3: message" with the file; returns TN_EFORMAT. */
tn_status tni_xnode_fail(const tni_xtree *t, const tni_xnode *n,
                         const char *fmt, ...) TN_PRINTF(3, 4);
/* The first child of this name; the next one of n's name. NULL: none. */
const tni_xnode *tni_xnode_child(const tni_xnode *n, const char *name);
const tni_xnode *tni_xnode_again(const tni_xnode *n);
/* Text of a child; p NULL when there is none or it has children. */
tni_span tni_xnode_text(const tni_xnode *n, const char *name);
bool tni_xnode_is(const tni_xnode *n, const char *name);

/* The element as JSON. */
void tni_xnode_put_json(tni_out *o, const tni_xnode *n);
/* The members that its elements become, but those of one name (NULL: all of
 * them); `any`: a comma is due. */
void tni_xnode_put_children(tni_out *o, const tni_xnode *n, const char *but,
                            bool any);
/* Text as the value it looks like: a number, true, false, else a string. */
void tni_put_typed(tni_out *o, tni_span text);

/* --- writing --------------------------------------------------------------- */

/* XML into a file of a target. */
void tni_xml_out_to(tni_xml_out *x, tni_target *t, const char *indent,
                    tn_err *err);
void tni_xml_out_f64(tni_xml_out *x, const char *name, double v);
void tni_xml_out_attr_f64(tni_xml_out *x, const char *name, double v);
/* A value of JSON as an element; `arena` for texts on the way. */
void tni_xml_out_json(tni_xml_out *x, const char *name, tni_span value,
                      tni_arena *arena);
/* A scalar as plain text, in the arena: strings without quotes and escapes.
 * NULL: no memory. */
const char *tni_json_scalar(tni_span value, tni_arena *arena);
/* Whether tni_xml_out_json can write it at all; whether it reads back as the
 * same JSON (numbers and null become strings). */
bool tni_json_is_xml(tni_span key, tni_span value);
bool tni_json_stays_xml(tni_span key, tni_span value);
/* Whether tni_put_typed gives the same value again for its plain text. */
bool tni_json_stays_typed(tni_span value);

#endif
