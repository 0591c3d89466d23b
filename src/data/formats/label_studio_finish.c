/* SPDX-License-Identifier: Apache-2.0 */
/* label_studio_finish.c - what is known only when all tasks are read */
#include "data/formats/label_studio_reader.h"

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* A point for every name of the class. */
static tn_status set_points(tni_ls *l, const tni_ls_points *p)
{
    const uint32_t cls = tni_ann_at(l->d, p->ann)->class_index;
    const tni_class_row *row = tni_class_at(l->d, cls);
    tni_span text = {NULL, 0};
    tni_shape shape;
    tni_out *o = tni_draft_begin(l->draft);
    for (uint32_t k = 0; k < row->n_keypoints; k++) {
        double v[3] = {0.0, 0.0, 0.0};
        for (size_t i = 0; i < p->n; i++)
            if (p->at[i].name == k) {
                v[0] = p->at[i].x;
                v[1] = p->at[i].y;
                v[2] = p->at[i].visible;
            }
        for (int i = 0; i < 3; i++) {
            if (k > 0 || i > 0) tni_out_str(o, ",");
            tni_out_f64(o, v[i]);
        }
    }
    TN_TRY(tni_draft_keep(l->draft, l->d, &text));
    memset(&shape, 0, sizeof shape);
    shape.text = text.p;
    shape.len = (uint32_t)text.len;
    shape.kind = TN_SHAPE_POINTS;
    shape.scale = TN_SCALE_PERCENT;
    shape.dims = 3;
    return tni_set_keypoints(l->d, p->ann, &shape, l->err);
}

static tn_status keep_controls(tni_ls *l)
{
    bool usual = true, any = false;
    tni_meta meta = {TNI_LS_CONTROLS, {NULL, 0}, TN_NONE, 0};
    tni_out *o = tni_draft_begin(l->draft);
    tni_out_str(o, "{");
    for (const tni_ls_control *c = l->controls; c != NULL; c = c->next) {
        const tni_ls_type *t = tni_ls_type_of(c->type);
        const bool image = c->to.len == 0 || tni_span_is(c->to, "image");
        const bool point = t != NULL && t->kind == TNI_LS_POINT;
        const bool named = t != NULL && tni_span_is(c->from, t->control);
        const bool guessed = t != NULL && (t->kind == TNI_LS_CHOICES ||
                                           t->kind == TNI_LS_TAXONOMY ||
                                           t->kind == TNI_LS_NUMBER);
        usual = usual && image && (!c->usual || named) &&
                (!c->answer || guessed) && t != NULL &&
                t->kind != TNI_LS_LABELS &&
                !(point && c->width != TNI_LS_POINT_WIDTH);
        bool twice = false;
        for (const tni_ls_control *p = l->controls; p != c; p = p->next)
            twice = twice || (p->from.len == c->from.len &&
                              memcmp(p->from.p, c->from.p, c->from.len) == 0);
        if (twice) continue;
        tni_out_str(o, any ? ", \"" : "\"");
        tni_out_bytes(o, c->from.p, c->from.len);
        tni_out_str(o, "\": {\"type\": \"");
        tni_out_bytes(o, c->type.p, c->type.len);
        tni_out_str(o, "\", \"to_name\": \"");
        if (c->to.len > 0) tni_out_bytes(o, c->to.p, c->to.len);
        tni_out_str(o, "\"");
        if (point && c->width != TNI_LS_POINT_WIDTH) {
            tni_out_str(o, ", \"width\": ");
            tni_out_f64(o, c->width);
        }
        tni_out_str(o, c->usual ? ", \"usual\": true}" : "}");
        any = true;
    }
    tni_out_str(o, "}");
    if (usual) return o->status;
    TN_TRY(tni_draft_keep(l->draft, l->d, &meta.value));
    return tni_add_meta(l->d, &meta, l->err);
}

tn_status tni_ls_finish(tni_ls *l)
{
    for (const tni_ls_names *n = l->names; n != NULL; n = n->next) {
        tni_class_row *row = tni_class_at(l->d, n->cls);
        const char **copy =
            TNI_NEW_ARRAY(&l->d->arena, const char *, n->n + 1u);
        if (copy == NULL) return no_memory(l->err);
        if (n->n > 0) memcpy(copy, n->list, n->n * sizeof *copy);
        row->keypoints = copy;
        row->n_keypoints = n->n;
    }
    for (const tni_ls_points *p = l->points; p != NULL; p = p->next)
        TN_TRY(set_points(l, p));
    TN_TRY(keep_controls(l));
    TN_TRY(tni_ls_keep_config(l));
    return tni_classes_sort_after(&l->classes, l->n_listed, l->err);
}
