/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label_studio_config_write.c - the labelling interface for what is written
 *
 * Label Studio takes tasks only into a project whose interface has the controls
 * that their results name. The interface that was read is written again while
 * it fits; else one is made of the controls that were used. Its first list of
 * labels has all classes, so that their order is kept.
 */
#include "data/formats/label_studio_write.h"
#include "data/formats/xmltree.h"

#include <stdio.h>

/* --- the one that was read ------------------------------------------------- */

void tni_ls_put_listed(tni_out *o, const tn_dataset *d, uint32_t n)
{
    tni_out_str(o, "[");
    for (uint32_t i = 0; i < n; i++) {
        const tni_class_row *row = tni_class_at(d, i);
        tni_out_str(o, i > 0 ? ", [" : "[");
        tni_out_json(o, row->name, strlen(row->name));
        tni_out_str(o, ", ");
        if (row->id_kind == TN_ID_INT)
            tni_out_i64(o, row->id);
        else
            tni_out_str(o, "null");
        tni_out_str(o, "]");
    }
    tni_out_str(o, "]");
}

/* Classes that it does not list are read as annotations have them, by name. */
static bool rest_is_seen(const tn_dataset *d, uint32_t from, tni_arena *arena)
{
    uint32_t left = d->classes.n - from;
    uint8_t *seen = tni_arena_zalloc(arena, d->classes.n + (size_t)1, 1);
    if (seen == NULL) return false;
    for (uint32_t i = from + 1; i < d->classes.n; i++)
        if (strcmp(tni_class_at(d, i - 1)->name, tni_class_at(d, i)->name) >= 0)
            return false;
    for (uint32_t k = 0; k < d->anns.n && left > 0; k++) {
        const uint32_t cls = tni_ann_at(d, k)->class_index;
        if (cls == TN_NONE || cls < from || seen[cls] != 0) continue;
        seen[cls] = 1;
        left--;
    }
    return left == 0;
}

bool tni_ls_config_fits(const tn_dataset *d, tni_span config)
{
    tni_span classes, one;
    tni_json j;
    tni_mem mem;
    tni_arena arena;
    uint32_t n = 0;
    bool fits = false;
    tn_err ignored;
    if (!tni_json_member(config, "classes", &classes)) return false;
    tni_json_init(&j, classes.p, classes.len, 0, &ignored);
    if (tni_json_peek(&j) != '[' || !tni_json_enter(&j, '[')) return false;
    while (tni_json_item(&j) && tni_json_skip(&j, &one)) n++;
    if (j.status != TN_OK || n > d->classes.n) return false;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 4096);
    tni_draft *draft = tni_draft_new(&arena, &ignored);
    if (draft != NULL) {
        tni_ls_put_listed(tni_draft_begin(draft), d, n);
        fits = tni_draft_end(draft, &one) == TN_OK && one.len == classes.len &&
               memcmp(one.p, classes.p, one.len) == 0 &&
               rest_is_seen(d, n, &arena);
    }
    tni_arena_fini(&arena);
    return fits;
}

/* --- controls ------------------------------------------------------------------ */

static void no_memory(tni_ls_writer *l)
{
    if (l->o->status == TN_OK)
        l->o->status = tni_fail(l->err, TN_ENOMEM, "out of memory");
}

void tni_ls_use(tni_ls_writer *l, const char *type, tni_span from, tni_span to,
                bool about_region)
{
    bool fresh = false;
    void **slot =
        tni_strmap_find(&l->by_name, from.len > 0 ? from.p : "", from.len);
    if (slot != NULL) {
        l->now = *slot;
    } else {
        tni_ls_used *u = TNI_NEW(&l->w->arena, tni_ls_used);
        char *name = tni_arena_strndup(&l->w->arena, from.p, from.len);
        char *image = tni_arena_strndup(&l->w->arena, to.p, to.len);
        if (u != NULL && name != NULL)
            slot = tni_strmap_add(&l->by_name, name, from.len, &fresh);
        if (u == NULL || name == NULL || image == NULL || slot == NULL) {
            l->now = NULL;
            no_memory(l);
            return;
        }
        u->type = type;
        u->from.p = name;
        u->from.len = from.len;
        u->to.p = image;
        u->to.len = to.len;
        u->about_region = about_region;
        tni_strmap_init(&u->values, &l->w->arena);
        *slot = u;
        *(l->last_used != NULL ? &l->last_used->next : &l->used) = u;
        l->now = l->last_used = u;
    }
    l->now->about_region = l->now->about_region && about_region;
}

void tni_ls_use_value(tni_ls_writer *l, tni_span json)
{
    bool fresh = false;
    tni_ls_used *u = l->now;
    if (u == NULL || json.len < 2 ||
        tni_strmap_find(&u->values, json.p, json.len) != NULL)
        return;
    char *copy = tni_arena_strndup(&l->w->arena, json.p, json.len);
    tni_ls_value *v = TNI_NEW(&l->w->arena, tni_ls_value);
    if (copy == NULL || v == NULL ||
        tni_strmap_add(&u->values, copy, json.len, &fresh) == NULL) {
        no_memory(l);
        return;
    }
    v->text.p = copy;
    v->text.len = json.len;
    if (u->last != NULL)
        u->last->next = v;
    else
        u->first = v;
    u->last = v;
}

void tni_ls_use_values(tni_ls_writer *l, tni_span json)
{
    tni_json j;
    tni_span one;
    tni_json_init(&j, json.p, json.len, 0, NULL);
    if (tni_json_peek(&j) != '[') {
        tni_ls_use_value(l, json);
        return;
    }
    if (!tni_json_enter(&j, '[')) return;
    for (int n = 0; tni_json_item(&j) && tni_json_skip(&j, &one); n++) {
        tni_ls_use_value(l, one);
        if (n > 0 && l->now != NULL) l->now->several = true;
    }
}

void tni_ls_use_text(tni_ls_writer *l, const char *text)
{
    tni_span json;
    tni_out_json(tni_draft_begin(l->draft), text, strlen(text));
    if (tni_draft_end(l->draft, &json) != TN_OK)
        no_memory(l);
    else
        tni_ls_use_value(l, json);
}

/* --- the elements ------------------------------------------------------------ */

static const char *tag_of(const char *type)
{
    static const char *const tags[][2] = {
        {"rectanglelabels", "RectangleLabels"},
        {"rectangle", "Rectangle"},
        {"polygonlabels", "PolygonLabels"},
        {"polygon", "Polygon"},
        {"keypointlabels", "KeyPointLabels"},
        {"keypoint", "KeyPoint"},
        {"ellipselabels", "EllipseLabels"},
        {"ellipse", "Ellipse"},
        {"brushlabels", "BrushLabels"},
        {"brush", "Brush"},
        {"labels", "Labels"},
        {"choices", "Choices"},
        {"taxonomy", "Taxonomy"},
        {"textarea", "TextArea"},
        {"number", "Number"},
        {"rating", "Rating"},
        {"datetime", "DateTime"}};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
        if (strcmp(tags[i][0], type) == 0) return tags[i][1];
    return NULL;
}

static bool is_point(const tni_ls_used *u)
{
    return strcmp(u->type, "keypointlabels") == 0;
}

static bool is_labels(const tni_ls_used *u)
{
    return !is_point(u) && strstr(u->type, "labels") != NULL;
}

static const char *plain(tni_ls_writer *l, tni_span raw)
{
    const char *text = tni_json_unescape(&l->work, raw, NULL);
    return text != NULL ? text : "";
}

/* The names of the points of a class that no result has said. */
static void put_point_names(tni_ls_writer *l, tni_xml_out *x, uint32_t cls)
{
    const tni_class_row *row = tni_class_at(l->d, cls);
    tni_span text;
    if (row->keypoints == NULL || row->n_keypoints == 0 || l->named[cls] != 0 ||
        (l->w->keeps & TNI_KEEPS(KEYPOINT_NAMES)) == 0)
        return;
    tni_out *o = tni_draft_begin(l->draft);
    for (uint32_t k = 0; k < row->n_keypoints; k++) {
        tni_out_str(o, k > 0 ? ", " : "[");
        tni_out_json(o, row->keypoints[k], strlen(row->keypoints[k]));
    }
    tni_out_str(o, "]");
    const tn_status status = tni_draft_end(l->draft, &text);
    if (status != TN_OK) {
        x->status = status;
        return;
    }
    const char *names = tni_arena_strndup(&l->work, text.p, text.len);
    tni_xml_out_attr(x, "keypoints", names != NULL ? names : "");
    if (names == NULL) x->status = tni_fail(l->err, TN_ENOMEM, "out of memory");
}

static void put_class(tni_ls_writer *l, tni_xml_out *x, uint32_t cls,
                      const char *tag)
{
    char number[32];
    const tni_class_row *row = tni_class_at(l->d, cls);
    tni_xml_out_open(x, tag);
    tni_xml_out_attr(x, "value", row->name);
    if (row->id_kind == TN_ID_INT && (l->w->keeps & TNI_KEEPS(CLASS_ID)) != 0) {
        (void)snprintf(number, sizeof number, "%lld", (long long)row->id);
        tni_xml_out_attr(x, "category", number);
    }
    put_point_names(l, x, cls);
    tni_xml_out_close(x);
}

enum { ALL = 0xff };

static void put_classes(tni_ls_writer *l, tni_xml_out *x, const char *tag,
                        unsigned which)
{
    for (uint32_t i = 0; i < l->d->classes.n; i++) {
        if (tni_find_class(l->d, tni_class_at(l->d, i)->name) != i) continue;
        if (which == ALL || (l->class_uses[i] & which) != 0)
            put_class(l, x, i, tag);
    }
}

/* Choices are texts; those of a taxonomy are paths: each level of one that does
 * not begin like the one before is opened anew. */
static void put_path(tni_ls_writer *l, tni_xml_out *x, tni_span path)
{
    tni_json j;
    tni_span raw;
    int n = 0;
    tni_json_init(&j, path.p, path.len, 0, l->err);
    if (!tni_json_enter(&j, '[')) return;
    while (n < TNI_XML_OUT_DEPTH - 4 && tni_json_item(&j) &&
           tni_json_string(&j, &raw, NULL)) {
        tni_xml_out_open(x, "Choice");
        tni_xml_out_attr(x, "value", plain(l, raw));
        n++;
    }
    while (n-- > 0) tni_xml_out_close(x);
}

static void put_values(tni_ls_writer *l, tni_xml_out *x, const tni_ls_used *u)
{
    const bool points = is_point(u);
    int index = 0;
    for (const tni_ls_value *v = u->first; v != NULL; v = v->next) {
        if (v->text.p[0] == '[') {
            put_path(l, x, v->text);
            continue;
        }
        const tni_span raw = {v->text.p + 1, v->text.len - 2};
        const char *value = plain(l, raw);
        const uint32_t cls = points ? tni_find_class(l->d, value) : TN_NONE;
        /* A class of this name is there already. */
        if (cls != TN_NONE &&
            (l->all_dotted || (l->class_uses[cls] & TNI_LS_DOTTED)))
            continue;
        tni_xml_out_open(x, points ? "Label" : "Choice");
        tni_xml_out_attr(x, "value", value);
        if (points) {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", index++);
            tni_xml_out_attr(x, "model_index", number);
        }
        tni_xml_out_close(x);
    }
}

/* One control; *listed: a list of all classes has been written. */
static void put_control(tni_ls_writer *l, tni_xml_out *x, const tni_ls_used *u,
                        bool *listed)
{
    const bool choices = strcmp(u->type, "choices") == 0 && !u->about_region;
    tni_xml_out_open(x, tag_of(u->type));
    tni_xml_out_attr(x, "name", plain(l, u->from));
    tni_xml_out_attr(x, "toName", u->to.len > 0 ? plain(l, u->to) : "image");
    if (u->about_region) tni_xml_out_attr(x, "perRegion", "true");
    if (u->several && strcmp(u->type, "choices") == 0)
        tni_xml_out_attr(x, "choice", "multiple");
    if (is_labels(u)) put_classes(l, x, "Label", ALL);
    if (is_point(u)) {
        l->all_dotted = !*listed && u->classed;
        put_classes(l, x, "Label", l->all_dotted ? ALL : TNI_LS_DOTTED);
    }
    if (choices) put_classes(l, x, "Choice", *listed ? TNI_LS_TAGGED : ALL);
    *listed = *listed || is_labels(u) || choices || l->all_dotted;
    put_values(l, x, u);
    tni_xml_out_close(x);
}

/* Labels of regions, of points, choices about images, all else. */
static int rank_of(const tni_ls_used *u)
{
    if (is_labels(u)) return 0;
    if (is_point(u)) return u->classed ? 1 : 3;
    return strcmp(u->type, "choices") == 0 && !u->about_region ? 2 : 3;
}

static void put_images(tni_ls_writer *l, tni_xml_out *x)
{
    bool any = false;
    tni_strmap met; /* names of images */
    const char *key = l->key.p != NULL ? plain(l, l->key) : "image";
    const size_t n = strlen(key) + 2;
    char *value = tni_arena_alloc(&l->work, n, 1);
    if (value == NULL) {
        x->status = tni_fail(l->err, TN_ENOMEM, "out of memory");
        return;
    }
    (void)snprintf(value, n, "$%s", key);
    tni_strmap_init(&met, &l->work);
    for (const tni_ls_used *u = l->used; u != NULL || !any; u = u->next) {
        const tni_span to =
            u != NULL && u->to.len > 0 ? u->to : tni_span_of("image");
        bool fresh = false;
        any = true;
        if (tni_strmap_add(&met, to.p, to.len, &fresh) == NULL)
            x->status = tni_fail(l->err, TN_ENOMEM, "out of memory");
        if (fresh) {
            tni_xml_out_open(x, "Image");
            tni_xml_out_attr(x, "name", plain(l, to));
            tni_xml_out_attr(x, "value", value);
            tni_xml_out_close(x);
        }
        if (u == NULL) break;
    }
}

static tn_status make_config(tni_ls_writer *l, tni_xml_out *x)
{
    bool listed = false, lists = false;
    tni_ls_used spare;
    for (const tni_ls_used *u = l->used; u != NULL; u = u->next)
        lists = lists || rank_of(u) < 3;
    tni_xml_out_open(x, "View");
    put_images(l, x);
    if (!lists && l->d->classes.n > 0) {
        memset(&spare, 0, sizeof spare);
        spare.type = "rectanglelabels";
        spare.from = tni_span_of("label_rectangles");
        put_control(l, x, &spare, &listed);
    }
    for (int rank = 0; rank < 4; rank++)
        for (const tni_ls_used *u = l->used; u != NULL; u = u->next)
            if (rank_of(u) == rank && tag_of(u->type) != NULL)
                put_control(l, x, u, &listed);
    return tni_xml_out_end(x);
}

tn_status tni_ls_write_config(tni_ls_writer *l)
{
    tni_xml_out x;
    tni_span config = {NULL, 0}, text;
    for (uint32_t i = 0; i < l->d->metas.n; i++) {
        const tni_meta *m = TNI_ROW(&l->d->metas, tni_meta, i);
        if (strcmp(m->key, TNI_LS_CONFIG) == 0) config = m->value;
    }
    const bool fits = config.p != NULL && tni_ls_config_fits(l->d, config) &&
                      tni_json_member(config, "xml", &text) && text.p[0] == '"';
    TN_TRY(tni_target_open(l->t, l->w, TNI_LS_CONFIG_FILE, l->err));
    if (fits) {
        const tni_span raw = {text.p + 1, text.len - 2};
        const char *xml = tni_json_unescape(&l->work, raw, NULL);
        if (xml == NULL)
            l->t->out.status = tni_fail(l->err, TN_ENOMEM, "out of memory");
        else
            tni_out_str(&l->t->out, xml);
    } else {
        tni_xml_out_to(&x, l->t, "  ", l->err);
        const tn_status status = make_config(l, &x);
        if (status != TN_OK && l->t->out.status == TN_OK)
            l->t->out.status = status;
    }
    return tni_target_close(l->t, l->err);
}
