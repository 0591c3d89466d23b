/* SPDX-License-Identifier: Apache-2.0 */
/* voc_xml.c - one XML file of Pascal VOC into the dataset */
#include "data/formats/voc.h"

#include <math.h>
#include <stdio.h>

#define DEGREES 57.29577951308232

typedef struct xml {
    tni_voc *v;
    const tni_xtree *t;
    uint32_t image, n_objects, cap_objects;
    uint32_t *objects; /* annotations, parts left out */
} xml;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* Indentation around a text is no part of it; other spaces are. */
static tni_span unwrapped(tni_span t)
{
    const tni_span inner = tni_trim(t);
    if (inner.len == t.len) return t;
    for (const char *p = t.p; p < t.p + t.len; p++)
        if (*p == '\n' && (p < inner.p || p >= inner.p + inner.len))
            return inner;
    return t;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0) return true;
    return false;
}

/* --- what is kept as it stands ---------------------------------------------- */

static tn_status member_of(tni_voc *v, const tni_xnode *n, tni_span *text)
{
    tni_out *o = tni_draft_begin(v->draft);
    tni_out_json(o, n->name, strlen(n->name));
    tni_out_str(o, ": ");
    tni_xnode_put_json(o, n);
    return tni_draft_keep(v->draft, v->d, text);
}

static tn_status keep_on_annotation(tni_voc *v, uint32_t ann,
                                    const tni_xnode *n)
{
    tni_span text;
    TN_TRY(member_of(v, n, &text));
    return tni_set_text(v->d, ann, TN_TEXT_EXTRA, text, v->err);
}

static tn_status keep_on_image(tni_voc *v, uint32_t image, const tni_xnode *n)
{
    tni_span text;
    TN_TRY(member_of(v, n, &text));
    return tni_set_image_text(v->d, image, TN_TEXT_EXTRA, text, v->err);
}

/* --- numbers ---------------------------------------------------------------- */

static tn_status number_of(const xml *x, const tni_xnode *parent,
                           const char *name, double *v)
{
    const tni_xnode *n = tni_xnode_child(parent, name);
    if (n == NULL)
        return tni_xnode_fail(x->t, parent, "<%s> has no <%s>", parent->name,
                              name);
    const tni_span text = n->text.p != NULL ? tni_trim(n->text) : n->text;
    if (text.p != NULL && tni_field_f64(text, v)) return TN_OK;
    return tni_xnode_fail(x->t, n, "<%s> is '%.*s', expected a finite number",
                          name, text.len > 40 ? 40 : (int)text.len,
                          text.p != NULL ? text.p : "");
}

static tn_status numbers_of(const xml *x, const tni_xnode *parent,
                            const char *const *names, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        TN_TRY(number_of(x, parent, names[i], &out[i]));
    return TN_OK;
}

/* --- whether pixels count from 0 or from 1 ---------------------------------- */

static void weigh(tni_voc *v, const double box[4], uint64_t where)
{
    double w = 0.0, h = 0.0;
    if (!tni_image_extent(v->d, v->image, &w, &h)) return;
    const bool zero = box[0] == 0.0 || box[1] == 0.0;
    const bool over = box[2] > w || box[3] > h;
    const bool end = box[2] == w || box[3] == h;
    if (zero && v->at_zero++ == 0) v->where_zero = where;
    if (over && v->over++ == 0) v->where_over = where;
    if (end && v->at_end++ == 0) v->where_end = where;
    if (box[0] == 1.0 || box[1] == 1.0) v->at_one++;
    if (box[2] == w - 1.0 || box[3] == h - 1.0) v->at_last++;
}

static const char *const edges[] = {"xmin", "ymin", "xmax", "ymax"};

static tn_status box_of(const xml *x, const tni_xnode *box, double out[4])
{
    TN_TRY(numbers_of(x, box, edges, 4, out));
    weigh(x->v, out, tni_xnode_where(x->t, box));
    if (x->v->one_based) {
        out[0] -= 1.0;
        out[1] -= 1.0;
    }
    return TN_OK;
}

/* --- shapes ------------------------------------------------------------------ */

/* x1 y1 x2 y2 ... in this order; how many points, 0: it is not that. */
static size_t count_points(const tni_xnode *polygon)
{
    char name[24];
    size_t n = 0;
    for (const tni_xnode *c = polygon->first; c != NULL; c = c->next, n++) {
        (void)snprintf(name, sizeof name, "%c%zu", n % 2 == 0 ? 'x' : 'y',
                       n / 2 + 1);
        if (strcmp(c->name, name) != 0 || c->text.p == NULL) return 0;
    }
    return n % 2 == 0 ? n / 2 : 0;
}

static tn_status set_numbers(const xml *x, uint32_t ann, const double *list,
                             size_t n, tn_shape_kind kind)
{
    tni_shape s;
    tni_span text;
    tni_out *o = tni_draft_begin(x->v->draft);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) tni_out_str(o, ",");
        tni_out_f64(o, list[i]);
    }
    TN_TRY(tni_draft_keep(x->v->draft, x->v->d, &text));
    if (text.len > UINT32_MAX)
        return tni_fail(x->v->err, TN_ELIMIT, "an outline is too long");
    memset(&s, 0, sizeof s);
    s.text = text.p;
    s.len = (uint32_t)text.len;
    s.kind = (uint8_t)kind;
    return tni_set_shape(x->v->d, ann, &s, x->v->err);
}

static tn_status set_polygon(const xml *x, uint32_t ann,
                             const tni_xnode *polygon, size_t n)
{
    const tni_arena_mark mark = tni_arena_save(&x->v->pixels);
    double *list = TNI_NEW_ARRAY(&x->v->pixels, double, 2 * n);
    size_t i = 0;
    if (list == NULL) return no_memory(x->v->err);
    for (const tni_xnode *c = polygon->first; c != NULL; c = c->next, i++)
        if (!tni_field_f64(tni_trim(c->text), &list[i]))
            return tni_xnode_fail(
                x->t, c, "<%s> is '%.*s', expected a finite number", c->name,
                c->text.len > 40 ? 40 : (int)c->text.len, c->text.p);
    TN_TRY(set_numbers(x, ann, list, 2 * n, TN_SHAPE_POLYGON));
    tni_arena_rewind(&x->v->pixels, mark);
    return TN_OK;
}

static const char *const corners[] = {
    "x_left_top",     "y_left_top",     "x_right_top",   "y_right_top",
    "x_right_bottom", "y_right_bottom", "x_left_bottom", "y_left_bottom"};

static const char *const turned[] = {"cx", "cy", "w", "h", "angle"};

/* The upright box around one that is turned by `angle`. */
static void around(const double b[4], double angle, double out[4])
{
    const double c = fabs(cos(angle)), s = fabs(sin(angle));
    const double w = (b[2] * c + b[3] * s) / 2, h = (b[2] * s + b[3] * c) / 2;
    out[0] = b[0] - w;
    out[1] = b[1] - h;
    out[2] = b[0] + w;
    out[3] = b[1] + h;
}

/* A turned box as roLabelImg has it; a bndbox beside it goes when it only is
 * the one around. */
static tn_status read_turned(const xml *x, const tni_xnode *rbox,
                             const tni_xnode *bndbox, tni_ann *a,
                             double *degrees, bool *keep_box)
{
    double v[5], box[4], out[4];
    TN_TRY(numbers_of(x, rbox, turned, 5, v));
    memcpy(a->box, v, sizeof a->box);
    a->flags |=
        TN_HAS_BOX | TNI_FORM(TN_BOX_CXCYWH) | TNI_SCALE(TN_SCALE_PIXEL);
    *degrees = v[4] * DEGREES;
    *keep_box = false;
    if (bndbox == NULL) return TN_OK;
    TN_TRY(box_of(x, bndbox, box));
    around(v, v[4], out);
    for (int i = 0; i < 4; i++)
        if (!(fabs(box[i] - out[i]) <= 1.5)) *keep_box = true;
    return TN_OK;
}

/* --- objects ----------------------------------------------------------------- */

/* 1 or 0, however it is said; -1: something else. */
static int flag_of(tni_span text)
{
    static const char *const yes[] = {"1",    "true", "True", "yes",
                                      "TRUE", "Yes",  NULL};
    static const char *const no[] = {"0",     "false", "False",       "no", "",
                                     "FALSE", "No",    "Unspecified", NULL};
    const tni_span t = tni_trim(text);
    for (int i = 0; yes[i] != NULL; i++)
        if (tni_span_is(t, yes[i])) return 1;
    for (int i = 0; no[i] != NULL; i++)
        if (tni_span_is(t, no[i])) return 0;
    return -1;
}

static const struct {
    const char *name;
    uint32_t flag;
} flags[] = {{"truncated", TN_IS_TRUNCATED},
             {"difficult", TN_IS_DIFFICULT},
             {"occluded", TN_IS_OCCLUDED}};

/* <attributes><attribute><name/><value/></attribute></attributes> */
static bool are_attributes(const tni_xnode *n)
{
    for (const tni_xnode *a = n->first; a != NULL; a = a->next) {
        const tni_span name = tni_xnode_text(a, "name");
        const tni_span value = tni_xnode_text(a, "value");
        if (!tni_xnode_is(a, "attribute") || name.p == NULL || value.p == NULL)
            return false;
        for (const tni_xnode *c = a->first; c != NULL; c = c->next)
            if ((!tni_xnode_is(c, "name") && !tni_xnode_is(c, "value")) ||
                c->attrs[0] != NULL || tni_xnode_again(c) != NULL)
                return false;
        if (a->attrs[0] != NULL) return false;
    }
    return n->attrs[0] == NULL && tni_trim(n->text).len == 0;
}

static void put_attribute(tni_out *o, tni_span name, tni_span value, bool *any)
{
    tni_out_str(o, *any ? ", " : "{");
    *any = true;
    tni_out_json(o, name.p, name.len);
    tni_out_str(o, ": ");
    tni_put_typed(o, value);
}

/* Pose and attributes as one object; *degrees takes CVAT's rotation. */
static tn_status attributes_of(tni_voc *v, const tni_xnode *object,
                               double *degrees, tni_span *text)
{
    const tni_xnode *list = tni_xnode_child(object, "attributes");
    const tni_span pose = tni_xnode_text(object, "pose");
    bool any = false, posed = false;
    tni_out *o = tni_draft_begin(v->draft);
    if (list != NULL && !are_attributes(list)) list = NULL;
    for (const tni_xnode *a = list != NULL ? list->first : NULL; a != NULL;
         a = a->next) {
        const tni_span name = tni_xnode_text(a, "name");
        const tni_span value = tni_xnode_text(a, "value");
        double turn = 0.0;
        if (degrees != NULL && isnan(*degrees) &&
            tni_span_is(name, "rotation") && tni_field_f64(value, &turn) &&
            turn != 0.0) {
            *degrees = turn;
            continue;
        }
        posed = posed || tni_span_is(name, "pose");
        put_attribute(o, name, value, &any);
    }
    if (!posed && pose.p != NULL && tni_trim(pose).len > 0 &&
        !tni_span_is(tni_trim(pose), "Unspecified"))
        put_attribute(o, tni_span_of("pose"), tni_trim(pose), &any);
    text->p = NULL;
    if (!any) return TN_OK;
    tni_out_str(o, "}");
    return tni_draft_keep(v->draft, v->d, text);
}

/* Whether a child of an object has gone into the model. */
static bool is_ours(const tni_xnode *c, bool keep_box, bool keep_polygon)
{
    static const char *const ours[] = {"name", "robndbox", "part", NULL};
    if (is_one_of(c->name, ours)) return true;
    if (tni_xnode_is(c, "bndbox")) return !keep_box;
    if (tni_xnode_is(c, "polygon")) return !keep_polygon;
    if (tni_xnode_is(c, "attributes")) return are_attributes(c);
    if (c->text.p == NULL || c->attrs[0] != NULL) return false;
    if (tni_xnode_is(c, "pose")) return true;
    if (tni_xnode_is(c, "type"))
        return tni_span_is(tni_trim(c->text), "bndbox") ||
               tni_span_is(tni_trim(c->text), "robndbox");
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (tni_xnode_is(c, flags[i].name)) return flag_of(c->text) >= 0;
    return false;
}

static tn_status class_of(const xml *x, const tni_xnode *object, uint32_t *cls)
{
    const tni_xnode *n = tni_xnode_child(object, "name");
    if (n == NULL || n->text.p == NULL)
        return tni_xnode_fail(x->t, object, "<%s> has no <name>", object->name);
    return tni_class_named(&x->v->classes, unwrapped(n->text),
                           tni_xnode_where(x->t, n), cls, x->v->err);
}

static tn_status read_parts(xml *x, const tni_xnode *object, uint32_t ann)
{
    tni_voc *v = x->v;
    const tni_xnode *p = tni_xnode_child(object, "part");
    const double group = x->n_objects;
    if (p == NULL) return TN_OK;
    TN_TRY(tni_set_num(v->d, ann, TN_NUM_GROUP, group, v->err));
    for (; p != NULL; p = tni_xnode_again(p)) {
        static const tni_span marker = {"\"part\": true", 12};
        const tni_xnode *box = tni_xnode_child(p, "bndbox");
        tni_ann a;
        uint32_t part = 0;
        memset(&a, 0, sizeof a);
        a.image = x->image;
        a.where = tni_xnode_where(x->t, p);
        a.flags = TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
        TN_TRY(class_of(x, p, &a.class_index));
        if (box == NULL)
            return tni_xnode_fail(x->t, p, "a <part> has no <bndbox>");
        TN_TRY(box_of(x, box, a.box));
        TN_TRY(tni_add_annotation(v->d, &a, &part, v->err));
        TN_TRY(tni_set_num(v->d, part, TN_NUM_GROUP, group, v->err));
        TN_TRY(tni_set_text(v->d, part, TN_TEXT_EXTRA, marker, v->err));
        for (const tni_xnode *c = p->first; c != NULL; c = c->next)
            if (!tni_xnode_is(c, "name") && c != box)
                TN_TRY(keep_on_annotation(v, part, c));
    }
    return TN_OK;
}

static tn_status add_object(xml *x, uint32_t ann)
{
    if (x->n_objects == x->cap_objects) {
        const uint32_t cap = x->cap_objects == 0 ? 64 : 2 * x->cap_objects;
        uint32_t *more = TNI_NEW_ARRAY(&x->v->pixels, uint32_t, cap);
        if (more == NULL) return no_memory(x->v->err);
        if (x->n_objects > 0)
            memcpy(more, x->objects, x->n_objects * sizeof *more);
        x->objects = more;
        x->cap_objects = cap;
    }
    x->objects[x->n_objects++] = ann;
    return TN_OK;
}

/* Everything of an object but its geometry. */
static tn_status keep_rest(xml *x, const tni_xnode *object, uint32_t ann,
                           tni_span attributes, bool keep_box,
                           bool keep_polygon)
{
    tni_voc *v = x->v;
    if (attributes.p != NULL)
        TN_TRY(tni_set_text(v->d, ann, TN_TEXT_ATTRIBUTES, attributes, v->err));
    for (const tni_xnode *c = object->first; c != NULL; c = c->next)
        if (!is_ours(c, keep_box, keep_polygon))
            TN_TRY(keep_on_annotation(v, ann, c));
    return read_parts(x, object, ann);
}

static tn_status read_object(xml *x, const tni_xnode *object)
{
    tni_voc *v = x->v;
    const tni_xnode *box = tni_xnode_child(object, "bndbox");
    const tni_xnode *rbox = tni_xnode_child(object, "robndbox");
    const tni_xnode *polygon = tni_xnode_child(object, "polygon");
    const size_t n_points = polygon != NULL ? count_points(polygon) : 0;
    const bool quad = rbox != NULL && tni_xnode_child(rbox, corners[0]) != NULL;
    double degrees = (double)NAN, quads[8];
    bool keep_box = false;
    tni_span attributes;
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = x->image;
    a.where = tni_xnode_where(x->t, object);
    TN_TRY(class_of(x, object, &a.class_index));
    if (box == NULL && rbox == NULL && n_points == 0)
        return tni_xnode_fail(x->t, object,
                              "an <object> has no <bndbox> (nor <robndbox>, "
                              "nor <polygon> of x1, y1, x2, y2 ...)");
    if (rbox != NULL && !quad) {
        TN_TRY(read_turned(x, rbox, box, &a, &degrees, &keep_box));
    } else if (box != NULL) {
        TN_TRY(box_of(x, box, a.box));
        a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_XYXY);
    }
    if (quad) TN_TRY(numbers_of(x, rbox, corners, 8, quads));
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const tni_span text = tni_xnode_text(object, flags[i].name);
        if (text.p != NULL && flag_of(text) == 1) a.flags |= flags[i].flag;
    }
    /* Only a plain box can be turned by an attribute. */
    const bool plain = box != NULL && rbox == NULL && n_points == 0;
    TN_TRY(attributes_of(v, object, plain ? &degrees : NULL, &attributes));
    TN_TRY(tni_add_annotation(v->d, &a, &ann, v->err));
    TN_TRY(add_object(x, ann));
    if (!isnan(degrees))
        TN_TRY(tni_set_num(v->d, ann, TN_NUM_ANGLE, degrees, v->err));
    if (quad)
        TN_TRY(set_numbers(x, ann, quads, 8, TN_SHAPE_QUAD));
    else if (n_points > 0 && rbox == NULL)
        TN_TRY(set_polygon(x, ann, polygon, n_points));
    return keep_rest(x, object, ann, attributes, keep_box,
                     n_points == 0 || rbox != NULL);
}

/* --- which image ------------------------------------------------------------- */

/* Without the folders that `filename` of some tools has. */
static const char *base_of(const char *name)
{
    const char *base = name;
    for (const char *p = name; *p != '\0'; p++)
        if (*p == '/' || *p == '\\') base = p + 1;
    return base;
}

static uint32_t look_for(tni_voc *v, const char *folder, size_t n,
                         const char *name, size_t len)
{
    char *stem = tni_arena_alloc(&v->pixels, n + len + 1, 1);
    if (stem == NULL) return TN_NONE;
    memcpy(stem, folder, n);
    memcpy(stem + n, name, len);
    return tni_voc_image_of(v, v->root, stem, n + len);
}

/* By its stem, then by `filename`; a new one that has no file otherwise. */
static tn_status find_image(const xml *x, const tni_xnode *top, uint32_t *image)
{
    tni_voc *v = x->v;
    const char *base = base_of(v->stem);
    const size_t folder = (size_t)(base - v->stem), len = strlen(base);
    tni_span said = tni_xnode_text(top, "filename");
    if (said.p != NULL) said = unwrapped(said);
    const char *file =
        said.p != NULL ? tni_arena_strndup(&v->pixels, said.p, said.len) : "";
    if (file == NULL) return no_memory(v->err);
    file = base_of(file);
    const size_t file_stem = tni_stem_len(file);
    const bool same = file_stem == len && memcmp(file, base, len) == 0;
    const bool exact = strcmp(file, base) == 0;
    const tni_voc_root *root = &v->roots[v->root];
    char name[2048], ext[16] = ".jpg";
    int n = snprintf(name, sizeof name, "%s%.*s%s", root->prefix, (int)folder,
                     v->stem, file);
    if (n < 0 || (size_t)n >= sizeof name)
        return tni_xnode_fail(x->t, top, "the name of the image is too long");
    *image = same ? tni_image_set_find(&v->images, name, root->split) : TN_NONE;
    if (*image == TN_NONE) *image = look_for(v, v->stem, folder, base, len);
    if (*image == TN_NONE && file_stem > 0)
        *image = look_for(v, v->stem, folder, file, file_stem);
    if (*image == TN_NONE && file_stem > 0)
        *image = look_for(v, "", 0, file, file_stem);
    if (*image == TN_NONE) *image = look_for(v, "", 0, base, len);
    if (said.p != NULL && file[0] != '\0' && !same && !exact)
        TN_TRY(tni_note_add(v->d, tni_xnode_where(x->t, top),
                            "filename-differs", v->err,
                            "%.200s is about '%.100s' by its <filename>; the "
                            "name of the XML file counts",
                            x->t->path, file));
    if (*image != TN_NONE) return TN_OK;
    if (same || exact)
        return tni_voc_new_image(v, v->root, name, tni_xnode_where(x->t, top),
                                 image);
    if (tni_is_image_name(file) && strlen(file + file_stem) < sizeof ext)
        (void)snprintf(ext, sizeof ext, "%s", file + file_stem);
    n = snprintf(name, sizeof name, "%s%s%s", root->prefix, v->stem, ext);
    if (n < 0 || (size_t)n >= sizeof name)
        return tni_xnode_fail(x->t, top, "the name of the image is too long");
    return tni_voc_new_image(v, v->root, name, tni_xnode_where(x->t, top),
                             image);
}

/* --- the image --------------------------------------------------------------- */

static tn_status side_of(const xml *x, const tni_xnode *size, const char *name,
                         int32_t *out)
{
    double v = 0.0;
    const tni_xnode *n = tni_xnode_child(size, name);
    if (n == NULL || (n->text.p != NULL && tni_trim(n->text).len == 0))
        return TN_OK;
    TN_TRY(number_of(x, size, name, &v));
    if (!(v >= 0.0 && v <= (double)INT32_MAX) || v != floor(v))
        return tni_xnode_fail(x->t, n, "<%s> is no whole number of pixels",
                              name);
    *out = (int32_t)v;
    return TN_OK;
}

static tn_status read_size(const xml *x, const tni_xnode *top)
{
    tni_voc *v = x->v;
    tni_image_row *row = tni_image_at(v->d, x->image);
    const tni_xnode *size = tni_xnode_child(top, "size");
    int32_t w = 0, h = 0;
    if (size != NULL) {
        TN_TRY(side_of(x, size, "width", &w));
        TN_TRY(side_of(x, size, "height", &h));
    }
    if (w > 0 && h > 0) {
        row->width = w;
        row->height = h;
    }
    TN_TRY(tni_read_header(v->r, x->image, v->err));
    if (w == h || w != row->raw_height || h != row->raw_width ||
        row->orientation >= 5)
        return TN_OK;
    row->width = h;
    row->height = w;
    return tni_note_add(v->d, tni_xnode_where(x->t, size), "size-swapped",
                        v->err,
                        "%.200s says %d x %d, the image is %d x %d: width and "
                        "height are swapped",
                        x->t->path, (int)w, (int)h, (int)h, (int)w);
}

/* Of <size> what is not width and height; a depth of 3 is what all tools write,
 * whatever the image. */
static tn_status keep_size(const xml *x, const tni_xnode *size)
{
    for (const tni_xnode *c = size->first; c != NULL; c = c->next) {
        if (tni_xnode_is(c, "width") || tni_xnode_is(c, "height")) continue;
        const bool depth = tni_xnode_is(c, "depth") && c->text.p != NULL;
        const tni_span text = depth ? tni_trim(c->text) : c->text;
        if (depth && (text.len == 0 || tni_span_is(text, "3"))) continue;
        TN_TRY(keep_on_image(x->v, x->image, c));
    }
    return TN_OK;
}

static tn_status keep_image(const xml *x, const tni_xnode *top)
{
    tni_voc *v = x->v;
    for (size_t i = 0; top->attrs[i] != NULL; i += 2) {
        tni_span text;
        tni_out *o = tni_draft_begin(v->draft);
        tni_out_str(o, "\"@");
        tni_out_str(o, top->attrs[i]);
        tni_out_str(o, "\": ");
        tni_out_json(o, top->attrs[i + 1], strlen(top->attrs[i + 1]));
        TN_TRY(tni_draft_keep(v->draft, v->d, &text));
        TN_TRY(tni_set_image_text(v->d, x->image, TN_TEXT_EXTRA, text, v->err));
    }
    for (const tni_xnode *c = top->first; c != NULL; c = c->next) {
        if (tni_xnode_is(c, "object") || tni_xnode_is(c, "filename")) continue;
        if (tni_xnode_is(c, "size")) {
            TN_TRY(keep_size(x, c));
        } else if (tni_xnode_is(c, "segmented") && c->text.p != NULL &&
                   flag_of(c->text) >= 0) {
            if (flag_of(c->text) == 1 && v->roots[v->root].object_masks == NULL)
                TN_TRY(keep_on_image(v, x->image, c));
        } else if (tni_xnode_is(c, "attributes") && are_attributes(c)) {
            tni_span text;
            TN_TRY(attributes_of(v, top, NULL, &text));
            if (text.p != NULL)
                TN_TRY(tni_set_image_text(v->d, x->image, TN_TEXT_ATTRIBUTES,
                                          text, v->err));
        } else {
            TN_TRY(keep_on_image(v, x->image, c));
        }
    }
    return TN_OK;
}

static tn_status mark_seen(const xml *x, const tni_xnode *top)
{
    tni_voc *v = x->v;
    bool fresh = false;
    const char *name = tni_image_at(v->d, x->image)->name;
    char key[2100];
    const int n = snprintf(key, sizeof key, "%d/%.2040s",
                           (int)v->roots[v->root].split, name);
    const char *copy = tni_arena_strndup(&v->r->scratch, key, (size_t)n);
    if (copy == NULL ||
        tni_strmap_add(&v->seen, copy, (size_t)n, &fresh) == NULL)
        return no_memory(v->err);
    if (fresh) return TN_OK;
    return tni_note_add(v->d, tni_xnode_where(x->t, top), "image-twice", v->err,
                        "two XML files are about the image '%.200s'", name);
}

static tn_status take(void *ctx, const tni_xtree *t, const tni_xnode *top)
{
    xml *x = ctx;
    tni_voc *v = x->v;
    x->t = t;
    TN_TRY(find_image(x, top, &x->image));
    v->image = x->image;
    TN_TRY(mark_seen(x, top));
    tni_image_row *row = tni_image_at(v->d, x->image);
    if (row->where == 0) row->where = tni_xnode_where(t, top);
    TN_TRY(read_size(x, top));
    TN_TRY(keep_image(x, top));
    for (const tni_xnode *c = tni_xnode_child(top, "object"); c != NULL;
         c = tni_xnode_again(c))
        TN_TRY(read_object(x, c));
    TN_TRY(tni_voc_masks(v, x->objects, x->n_objects));
    tni_image_at(v->d, x->image)->state = TN_STATE_EMPTY;
    return TN_OK;
}

tn_status tni_voc_read_xml(tni_voc *v, const char *path)
{
    xml x;
    tni_xtree t;
    memset(&x, 0, sizeof x);
    memset(&t, 0, sizeof t);
    x.v = v;
    t.r = v->r;
    t.path = path;
    t.root = "annotation";
    t.depth = 1;
    t.err = v->err;
    t.ctx = &x;
    t.take = take;
    const tn_status status = tni_xtree_read(&t);
    tni_arena_reset(&v->pixels);
    if (status == TN_OK) v->n_read++;
    if (status == TN_OK || !t.other_root || !v->r->is_dir) return status;
    if (v->err != NULL) memset(v->err, 0, sizeof *v->err);
    return tni_note_add(v->d, tni_where(t.source, 0), "other-xml", v->err,
                        "%.200s is no annotation of Pascal VOC and is left "
                        "out",
                        path);
}
