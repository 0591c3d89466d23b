/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label_studio_config.c - the labelling interface beside the tasks
 *
 * Label Studio does not put its configuration into exports; people keep it as
 * label_config.xml. Its labels, in their order, are the classes: those of
 * regions and the choices about whole images. Labels of keypoints that have a
 * `model_index` are named points. `category` is the id of a class.
 */
#include "data/formats/label_studio_reader.h"
#include "data/xml.h"

#include "base/utf8.h"

/* Files of XML in a folder that are looked at. */
enum { MAX_FILES = 64, MAX_DEPTH = 32 };

typedef enum part {
    PART_NONE = 0,
    PART_REGION, /* its labels are classes */
    PART_POINT,
    PART_CHOICES,
    PART_TAXONOMY,
    PART_PLAIN /* has no labels */
} part;

static const struct {
    const char *tag;
    part part;
    bool ours; /* what the writer writes */
} tags[] = {
    {"RectangleLabels", PART_REGION, true},
    {"PolygonLabels", PART_REGION, true},
    {"EllipseLabels", PART_REGION, true},
    {"BrushLabels", PART_REGION, true},
    {"Labels", PART_REGION, true},
    {"BitmaskLabels", PART_REGION, false},
    {"VectorLabels", PART_REGION, false},
    {"KeyPointLabels", PART_POINT, true},
    {"Choices", PART_CHOICES, true},
    {"Taxonomy", PART_TAXONOMY, true},
    {"Rectangle", PART_PLAIN, true},
    {"Polygon", PART_PLAIN, true},
    {"Ellipse", PART_PLAIN, true},
    {"Brush", PART_PLAIN, true},
    {"KeyPoint", PART_PLAIN, true},
    {"TextArea", PART_PLAIN, true},
    {"Number", PART_PLAIN, true},
    {"Rating", PART_PLAIN, true},
    {"DateTime", PART_PLAIN, true},
    {"Image", PART_NONE, true},
    {"View", PART_NONE, true},
    {"Label", PART_NONE, true},
    {"Choice", PART_NONE, true},
};

typedef struct config {
    tni_ls *l;
    tn_dataset *d;
    uint32_t source;
    part part;                       /* of the control that is open */
    uint32_t depth;                  /* where it was opened */
    bool answers;                    /* it asks about regions: no classes */
    const char *path[MAX_DEPTH + 1]; /* choices that are open */
    uint32_t n_path;
    bool leaf;
    tni_ls_listed *control;
} config;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* --- classes --------------------------------------------------------------- */

static tn_status add_class(config *c, tni_xml *x, tni_span name,
                           const char *const *attrs)
{
    uint32_t cls = TN_NONE;
    int64_t id = 0;
    const char *category = tni_xml_attr(attrs, "category");
    const char *names = tni_xml_attr(attrs, "keypoints");
    TN_TRY(tni_class_named(&c->l->classes, name,
                           tni_where(c->source, tni_xml_offset(x)), &cls,
                           c->l->err));
    tni_class_row *row = tni_class_at(c->d, cls);
    if (category != NULL && row->id_kind == TN_ID_NONE &&
        tni_field_i64(tni_span_of(category), &id)) {
        row->id_kind = TN_ID_INT;
        row->id = id;
    }
    if (c->control != NULL) c->control->n_labels++;
    if (names == NULL) return TN_OK;
    tni_json j;
    tni_span raw;
    uint32_t index = 0;
    tn_err ignored;
    const char *text = tni_keep(c->d, names, strlen(names));
    if (text == NULL) return no_memory(c->l->err);
    tni_json_init(&j, text, strlen(text), 4, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return TN_OK;
    while (tni_json_item(&j) && tni_json_peek(&j) == '"' &&
           tni_json_string(&j, &raw, NULL))
        TN_TRY(tni_ls_name_point(c->l, cls, raw, &index));
    return TN_OK;
}

/* What results call it: the alias, else the value. NULL: it is filled in by a
 * task's data. */
static tn_status label_of(tni_xml *x, const char *tag, const char *const *attrs,
                          const char **name)
{
    const char *value = tni_xml_attr(attrs, "value");
    const char *alias = tni_xml_attr(attrs, "alias");
    *name = alias != NULL && alias[0] != '\0' ? alias : value;
    if (*name == NULL) return tni_xml_fail(x, "a %s has no 'value'", tag);
    if ((*name)[0] == '$') *name = NULL;
    return TN_OK;
}

static tn_status start_label(config *c, tni_xml *x, const char *const *attrs)
{
    const char *name = NULL;
    if (c->part != PART_REGION && c->part != PART_POINT) return TN_OK;
    TN_TRY(label_of(x, "Label", attrs, &name));
    if (name == NULL ||
        (c->part == PART_POINT && tni_xml_attr(attrs, "model_index") != NULL))
        return TN_OK;
    return add_class(c, x, tni_span_of(name), attrs);
}

static tn_status start_choice(config *c, tni_xml *x, const char *const *attrs)
{
    const char *name = NULL;
    if (c->answers || (c->part != PART_CHOICES && c->part != PART_TAXONOMY))
        return TN_OK;
    TN_TRY(label_of(x, "Choice", attrs, &name));
    if (c->part == PART_CHOICES)
        return name == NULL ? TN_OK : add_class(c, x, tni_span_of(name), attrs);
    if (name == NULL) name = "";
    if (c->n_path > MAX_DEPTH) return tni_xml_fail(x, "choices in choices");
    c->path[c->n_path++] =
        tni_arena_strndup(&c->l->r->scratch, name, strlen(name));
    c->leaf = true;
    return c->path[c->n_path - 1] != NULL ? TN_OK : no_memory(c->l->err);
}

/* A choice of a taxonomy that has none below it: "a/b". */
static tn_status end_choice(config *c, tni_xml *x)
{
    static const char *const none[] = {NULL};
    tni_span name = {NULL, 0};
    tn_status status = TN_OK;
    if (c->n_path == 0) return TN_OK;
    if (c->leaf) {
        tni_out *o = tni_draft_begin(c->l->draft);
        for (uint32_t i = 0; i < c->n_path; i++) {
            if (i > 0) tni_out_str(o, "/");
            tni_out_str(o, c->path[i]);
        }
        status = tni_draft_end(c->l->draft, &name);
        if (status == TN_OK) status = add_class(c, x, name, none);
    }
    c->leaf = false;
    c->n_path--;
    return status;
}

/* --- elements ---------------------------------------------------------------- */

/* Whether the writer would write this attribute. */
static bool is_ours(const char *tag, const char *name, const char *value)
{
    static const char *const names[] = {"name",     "toName",      "value",
                                        "category", "model_index", "keypoints"};
    if (strcmp(name, "perRegion") == 0) return strcmp(value, "true") == 0;
    if (strcmp(name, "choice") == 0) return strcmp(value, "multiple") == 0;
    if (strcmp(tag, "Image") == 0 && strcmp(name, "value") == 0)
        return strcmp(value, "$image") == 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static tn_status open_control(config *c, tni_xml *x, const char *tag, part p,
                              const char *const *attrs)
{
    tni_arena *arena = &c->l->r->scratch;
    const char *name = tni_xml_attr(attrs, "name");
    const char *per = tni_xml_attr(attrs, "perRegion");
    tni_ls_listed *listed = TNI_NEW(arena, tni_ls_listed);
    if (listed == NULL) return no_memory(c->l->err);
    c->part = p;
    c->depth = tni_xml_depth(x);
    c->answers = per != NULL && strcmp(per, "true") == 0;
    listed->region = p == PART_REGION;
    listed->name = tni_arena_strndup(arena, name != NULL ? name : "",
                                     name != NULL ? strlen(name) : 0);
    char *type = tni_arena_strndup(arena, tag, strlen(tag));
    if (listed->name == NULL || type == NULL) return no_memory(c->l->err);
    for (char *t = type; *t != '\0'; t++)
        if (*t >= 'A' && *t <= 'Z') *t = (char)(*t + 32);
    listed->type = type;
    listed->next = c->l->listed;
    c->l->listed = listed;
    c->control = listed;
    return TN_OK;
}

static tn_status start(void *ctx, tni_xml *x, const char *name,
                       const char *const *attrs)
{
    config *c = ctx;
    const size_t n = sizeof tags / sizeof tags[0];
    size_t t = 0;
    if (tni_xml_depth(x) == 1 && strcmp(name, "View") != 0)
        return tni_xml_fail(x, "found <%.60s>, expected <View>", name);
    while (t < n && strcmp(tags[t].tag, name) != 0) t++;
    if (t == n || !tags[t].ours) c->l->config_says_more = true;
    for (const char *const *a = attrs; a[0] != NULL; a += 2)
        if (!is_ours(name, a[0], a[1])) c->l->config_says_more = true;
    if (strcmp(name, "Label") == 0) return start_label(c, x, attrs);
    if (strcmp(name, "Choice") == 0) return start_choice(c, x, attrs);
    if (t == n || tags[t].part == PART_NONE) return TN_OK;
    return open_control(c, x, name, tags[t].part, attrs);
}

static tn_status end(void *ctx, tni_xml *x, const char *name, const char *text,
                     size_t len)
{
    config *c = ctx;
    for (size_t i = 0; text != NULL && i < len; i++)
        if (strchr(" \t\r\n", text[i]) == NULL) c->l->config_says_more = true;
    if (strcmp(name, "Choice") == 0) return end_choice(c, x);
    if (tni_xml_depth(x) != c->depth || c->part == PART_NONE) return TN_OK;
    c->part = PART_NONE;
    c->control = NULL;
    return TN_OK;
}

/* --- the file ------------------------------------------------------------------ */

/* label_config.xml; else the one file of XML that begins like one. */
static tn_status find_config(tni_ls *l, const char **path)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0, n_xml = 0, n_found = 0;
    const char *folder =
        l->r->is_dir ? l->r->path : tni_folder_of(l->r, l->r->path);
    *path = NULL;
    if (folder == NULL) return no_memory(l->err);
    const char *usual = tni_join(l->r, folder, TNI_LS_CONFIG_FILE);
    if (usual == NULL) return no_memory(l->err);
    if (tni_path_look(usual).is_file) {
        *path = usual;
        return TN_OK;
    }
    TN_TRY(tni_list(l->r, folder, &e, &n, l->err));
    for (size_t i = 0; i < n && n_xml <= MAX_FILES; i++) {
        tni_probe p;
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".xml")) continue;
        n_xml++;
        memset(&p, 0, sizeof p);
        p.r = l->r;
        const char *one = tni_join(l->r, folder, e[i].name);
        if (one == NULL) return no_memory(l->err);
        if (!tni_has_text(tni_probe_head(&p, one), "<View")) continue;
        n_found++;
        *path = one;
    }
    if (n_found == 1 && n_xml <= MAX_FILES) return TN_OK;
    *path = NULL;
    return n_found < 2
               ? TN_OK
               : tni_note_add(l->d, 0, "several-configs", l->err,
                              "several files have a labelling interface: the "
                              "classes are those of annotations; call the one "
                              "to be used " TNI_LS_CONFIG_FILE);
}

/* Whether the writer would write each control, and its labels, by itself. */
static bool is_usual(const tni_ls *l)
{
    for (const tni_ls_listed *c = l->listed; c != NULL; c = c->next) {
        bool used = false;
        for (const tni_ls_control *k = l->controls; k != NULL; k = k->next)
            used = used || (tni_span_is(k->type, c->type) &&
                            tni_span_is(k->from, c->name));
        if (c->region && c->n_labels != l->n_listed) return false;
        if (!used && (strcmp(c->name, "label_rectangles") != 0 ||
                      l->listed->next != NULL))
            return false;
    }
    return true;
}

tn_status tni_ls_keep_config(tni_ls *l)
{
    tni_meta meta = {TNI_LS_CONFIG, {NULL, 0}, TN_NONE, l->config_where};
    if (l->config.p == NULL || (!l->config_says_more && is_usual(l)))
        return TN_OK;
    if (tni_utf8_valid(l->config.p, l->config.len) != l->config.len)
        return tni_note_add(l->d, l->config_where, "config-encoding", l->err,
                            "the labelling interface is not UTF-8: its classes "
                            "are read, itself it is not kept");
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "{\"classes\": ");
    tni_ls_put_listed(o, l->d, l->n_listed);
    tni_out_str(o, ", \"xml\": ");
    tni_out_json(o, l->config.p, l->config.len);
    tni_out_str(o, "}");
    TN_TRY(tni_draft_keep(l->draft, l->d, &meta.value));
    return tni_add_meta(l->d, &meta, l->err);
}

tn_status tni_ls_read_config(tni_ls *l)
{
    config c;
    const char *path = NULL;
    const tni_xml_handler handler = {&c, start, end};
    memset(&c, 0, sizeof c);
    c.l = l;
    c.d = l->d;
    TN_TRY(find_config(l, &path));
    if (path == NULL) return TN_OK;
    TN_TRY(tni_source_open(l->d, path, &c.source, &l->config, l->err));
    l->config_where = tni_where(c.source, 0);
    const tn_status status = tni_xml_read(&handler, l->config.p, l->config.len,
                                          NULL, &l->d->mem, l->err);
    if (status != TN_OK) tni_err_where(l->err, "%s", path);
    l->n_listed = l->d->classes.n;
    return status;
}
