/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_items.c - one result of Label Studio, taken apart */
#include "data/formats/label_studio_items.h"

/* Of a labelling interface; what names more is not about one. */
enum { MAX_CONTROLS = 1024 };

static const char *const numbers[TNI_LS_NUMS] = {
    "x",       "y",       "width",          "height",         "rotation",
    "radiusX", "radiusY", "original_width", "original_height"};

/* The characters of a string, or the text of another scalar; null is none. */
static void read_plain(tni_json *j, tni_span *out)
{
    const char kind = tni_json_peek(j);
    if (kind == 'n')
        (void)tni_json_null(j);
    else if (kind == '"')
        (void)!tni_json_string(j, out, NULL);
    else
        (void)!tni_json_skip(j, out);
}

static bool is_labels(tni_span key)
{
    return key.len >= 6 && memcmp(key.p + key.len - 6, "labels", 6) == 0;
}

/* Where the answer of this kind is. */
static const char *answer_key(tni_ls_kind kind)
{
    switch (kind) {
    case TNI_LS_CHOICES: return "choices";
    case TNI_LS_TAXONOMY: return "taxonomy";
    case TNI_LS_TEXT: return "text";
    case TNI_LS_NUMBER: return "number";
    case TNI_LS_RATING: return "rating";
    case TNI_LS_DATETIME: return "datetime";
    default: return "";
    }
}

/* One member of a value; *taken false when it is none of ours. */
static void read_value_member(tni_ls_item *it, tni_json *j, tni_span key,
                              bool *taken)
{
    const char kind = tni_json_peek(j);
    const bool region = tni_ls_is_region(it->kind) || it->kind == TNI_LS_LABELS;
    *taken = true;
    for (int k = 0; k < TNI_LS_NUMS; k++) {
        if (!tni_span_is(key, numbers[k])) continue;
        it->seen |= kind != 'n' ? UINT32_C(1) << k : 0;
        if (kind == 'n')
            (void)tni_json_null(j);
        else
            (void)!tni_json_f64(j, &it->num[k]);
        return;
    }
    if (region && is_labels(key) && kind == '[') {
        (void)!tni_json_skip(j, &it->labels);
    } else if (it->kind == TNI_LS_POLYGON && tni_span_is(key, "points")) {
        (void)!tni_json_skip(j, &it->points);
    } else if (it->kind == TNI_LS_BRUSH && tni_span_is(key, "rle")) {
        (void)!tni_json_skip(j, &it->rle);
    } else if (it->kind == TNI_LS_POINT && tni_span_is(key, "hidden") &&
               (kind == 't' || kind == 'f')) {
        (void)!tni_json_bool(j, &it->hidden);
    } else if ((tni_span_is(key, "closed") && kind == 't') ||
               (it->kind == TNI_LS_BRUSH && tni_span_is(key, "format")) ||
               (!tni_ls_is_region(it->kind) && tni_span_is(key, "points"))) {
        (void)!tni_json_skip(j, NULL);
    } else if (tni_span_is(key, answer_key(it->kind))) {
        (void)!tni_json_skip(j, &it->answer);
    } else {
        *taken = false;
        (void)!tni_json_skip(j, NULL);
    }
}

static tn_status read_value(tni_ls *l, tni_ls_item *it)
{
    tni_span key;
    tni_json j = tni_ls_at(l, it->value);
    if (it->value.p == NULL || it->value.p[0] != '{') return TN_OK;
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            bool taken = true;
            read_value_member(it, &j, key, &taken);
            if (!taken) it->value_extras = true;
        }
    return j.status;
}

/* What the keys of a value say when there is no type. */
static void guess_kind(const tni_ls *l, tni_ls_item *it)
{
    static const struct {
        const char *key;
        tni_ls_kind kind;
    } rows[] = {{"rle", TNI_LS_BRUSH},         {"points", TNI_LS_POLYGON},
                {"radiusX", TNI_LS_ELLIPSE},   {"choices", TNI_LS_CHOICES},
                {"taxonomy", TNI_LS_TAXONOMY}, {"text", TNI_LS_TEXT},
                {"height", TNI_LS_RECT},       {"x", TNI_LS_POINT}};
    tni_span value;
    (void)l;
    it->kind = TNI_LS_OTHER;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!tni_json_member(it->value, rows[i].key, &value)) continue;
        it->kind = rows[i].kind;
        break;
    }
    const char *name = tni_ls_type_name(
        it->kind, tni_ls_is_region(it->kind) &&
                      !(it->kind == TNI_LS_RECT &&
                        tni_json_member(it->value, "labels", &value)));
    if (it->kind != TNI_LS_OTHER) it->type = tni_span_of(name);
}

static void read_member(tni_ls_item *it, tni_json *j, tni_span key, bool *taken)
{
    const char kind = tni_json_peek(j);
    static const struct {
        const char *name;
        size_t at;
    } plain[] = {{"id", offsetof(tni_ls_item, id)},
                 {"type", offsetof(tni_ls_item, type)},
                 {"from_name", offsetof(tni_ls_item, from)},
                 {"to_name", offsetof(tni_ls_item, to)},
                 {"parentID", offsetof(tni_ls_item, parent)},
                 {"origin", offsetof(tni_ls_item, origin)}};
    *taken = true;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (tni_span_is(key, plain[i].name) && kind != '{' && kind != '[') {
            void *to = (char *)it + plain[i].at;
            read_plain(j, to);
            return;
        }
    for (int k = TNI_LS_TURN; k < TNI_LS_NUMS; k++) {
        if (k == TNI_LS_RX || k == TNI_LS_RY || kind != '0' ||
            !tni_span_is(key, numbers[k]))
            continue;
        it->seen |= UINT32_C(1) << k;
        (void)!tni_json_f64(j, &it->num[k]);
        return;
    }
    if (tni_span_is(key, "value")) {
        (void)!tni_json_skip(j, &it->value);
    } else if (tni_span_is(key, "score") && kind == '0') {
        it->scored = true;
        (void)!tni_json_f64(j, &it->score);
    } else if (tni_span_is(key, "image_rotation") && kind == '0') {
        (void)!tni_json_f64(j, &it->image_turn);
    } else if (tni_span_is(key, "item_index") && kind == '0') {
        (void)!tni_json_i64(j, &it->index);
    } else if (tni_span_is(key, "visibility") && kind == '0') {
        (void)!tni_json_f64(j, &it->visible);
    } else if (tni_span_is(key, "keypoints") && kind == '[') {
        (void)!tni_json_skip(j, &it->keypoints);
    } else {
        *taken = kind == 'n';
        (void)!tni_json_skip(j, NULL);
    }
}

static void clear(tni_ls_item *it)
{
    memset(it, 0, sizeof *it);
    it->index = -1;
    it->visible = -1.0;
}

tn_status tni_ls_item_read(tni_ls *l, tni_json *j, tni_ls_item *it)
{
    tni_span key;
    clear(it);
    (void)tni_json_peek(j);
    it->at = j->p;
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            bool taken = true;
            read_member(it, j, key, &taken);
            if (!taken) it->extras = true;
        }
    TN_TRY(j->status);
    it->whole.p = it->at;
    it->whole.len = (size_t)(j->p - it->at);
    if (it->type.len == 0) {
        guess_kind(l, it);
    } else {
        const tni_ls_type *t = tni_ls_type_of(it->type);
        it->kind = t != NULL ? t->kind : TNI_LS_OTHER;
    }
    return read_value(l, it);
}

tn_status tni_ls_item_min(tni_ls *l, tni_json *j, tni_span from,
                          tni_ls_item *it)
{
    clear(it);
    (void)tni_json_peek(j);
    it->at = j->p;
    if (!tni_json_skip(j, &it->value)) return j->status;
    it->whole = it->value;
    it->from = from;
    guess_kind(l, it);
    return read_value(l, it);
}

/* --- controls ----------------------------------------------------------------- */

static bool same(tni_span a, tni_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

tni_ls_control *tni_ls_control_of(tni_ls *l, const tni_ls_item *it)
{
    tni_ls_control *c = l->controls;
    while (c != NULL && !(same(c->from, it->from) && same(c->type, it->type)))
        c = c->next;
    if (c != NULL || it->from.p == NULL || l->n_controls == MAX_CONTROLS)
        return c;
    l->n_controls++;
    c = TNI_NEW(&l->r->scratch, tni_ls_control);
    if (c == NULL) return NULL;
    c->from = it->from;
    c->type = it->type;
    c->to = it->to;
    c->width = it->num[TNI_LS_W];
    *l->last_control = c;
    l->last_control = &c->next;
    return c;
}

tn_status tni_ls_no_control(tni_ls *l)
{
    return tni_fail(l->err, TN_ELIMIT,
                    "out of memory, or more than %d controls (from_name)",
                    (int)MAX_CONTROLS);
}

/* --- what has no place ----------------------------------------------------------- */

static tn_status set_extra(tni_ls *l, uint32_t ann, tni_span text)
{
    return tni_set_text(l->d, ann, TN_TEXT_EXTRA, text, l->err);
}

/* "key": "text" where the text is as in the file. */
static tn_status set_quoted(tni_ls *l, uint32_t ann, const char *key,
                            tni_span raw)
{
    tni_span text = {NULL, 0};
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "\"");
    tni_out_str(o, key);
    tni_out_str(o, "\": \"");
    tni_out_bytes(o, raw.p, raw.len);
    tni_out_str(o, "\"");
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    return set_extra(l, ann, text);
}

static tn_status set_number(tni_ls *l, uint32_t ann, const char *key, double v)
{
    tni_span text = {NULL, 0};
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "\"");
    tni_out_str(o, key);
    tni_out_str(o, "\": ");
    tni_out_f64(o, v);
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    return set_extra(l, ann, text);
}

bool tni_ls_is_usual(tni_ls *l, tni_ls_control *own)
{
    const tni_ls_control *c = l->controls;
    while (c != NULL && !(c->usual && same(c->type, own->type))) c = c->next;
    if (c == NULL) own->usual = true;
    return c == NULL || c == own;
}

/* Members of the value that are none of ours, as "value": {…}. */
static tn_status keep_value(tni_ls *l, const tni_ls_item *it, uint32_t ann)
{
    tni_span key, raw, text = {NULL, 0};
    bool any = false;
    tni_json j = tni_ls_at(l, it->value);
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "\"value\": {");
    if (tni_json_enter(&j, '{'))
        while (tni_json_key(&j, &key)) {
            tni_ls_item scratch = *it;
            tni_json ahead = j;
            bool taken = true;
            read_value_member(&scratch, &ahead, key, &taken);
            if (!tni_json_skip(&j, &raw)) break;
            if (taken) continue;
            const tni_span member = tni_json_whole(key, raw);
            tni_out_str(o, any ? ", " : "");
            tni_out_bytes(o, member.p, member.len);
            any = true;
        }
    tni_out_str(o, "}");
    TN_TRY(j.status);
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    return set_extra(l, ann, text);
}

/* Members of the result that are none of ours. Those called like what rows
 * say themselves get "x_" in front. */
static tn_status keep_members(tni_ls *l, const tni_ls_item *it, uint32_t ann)
{
    static const char *const ours[] = {"annotation", "prediction", "value",
                                       "keypoint_ids"};
    tni_span key, raw;
    tni_json j = tni_ls_at(l, it->whole);
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        tni_ls_item scratch;
        tni_json ahead = j;
        bool taken = true, named = false;
        clear(&scratch);
        read_member(&scratch, &ahead, key, &taken);
        if (!tni_json_skip(&j, &raw)) break;
        if (taken) continue;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            named = named || tni_span_is(key, ours[i]);
        tni_span member = tni_json_whole(key, raw);
        if (named) {
            tni_out *o = tni_draft_begin(l->draft);
            tni_out_str(o, "\"x_");
            tni_out_bytes(o, member.p + 1, member.len - 1);
            TN_TRY(tni_draft_keep(l->draft, l->d, &member));
        }
        TN_TRY(set_extra(l, ann, member));
    }
    return j.status;
}

tn_status tni_ls_item_extras(tni_ls *l, const tni_ls_item *it, uint32_t ann)
{
    tni_ls_control *own = tni_ls_control_of(l, it);
    if (own == NULL && it->from.p != NULL) return tni_ls_no_control(l);
    if (own != NULL && !tni_ls_is_usual(l, own))
        TN_TRY(set_quoted(l, ann, "from_name", it->from));
    if (own != NULL && it->to.p != NULL && !same(own->to, it->to))
        TN_TRY(set_quoted(l, ann, "to_name", it->to));
    if (it->parent.p != NULL)
        TN_TRY(set_quoted(l, ann, "parentID", it->parent));
    if (it->origin.p != NULL && !tni_span_is(it->origin, "manual"))
        TN_TRY(set_quoted(l, ann, "origin", it->origin));
    if (it->image_turn != 0.0)
        TN_TRY(set_number(l, ann, "image_rotation", it->image_turn));
    if (it->kind == TNI_LS_POINT && own != NULL &&
        own->width != it->num[TNI_LS_W])
        TN_TRY(set_number(l, ann, "width", it->num[TNI_LS_W]));
    if (it->kind == TNI_LS_POINT && it->visible >= 0.0)
        TN_TRY(set_number(l, ann, "visibility", it->visible));
    if (it->kind == TNI_LS_POINT && it->hidden)
        TN_TRY(set_extra(l, ann, tni_span_of("\"hidden\": true")));
    if (it->value_extras) TN_TRY(keep_value(l, it, ann));
    return it->extras ? keep_members(l, it, ann) : TN_OK;
}
