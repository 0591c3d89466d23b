/* SPDX-License-Identifier: Apache-2.0 */
/* cvat_track.c - tracks of CVAT's videos and the frames they are on */
#include "data/formats/cvat.h"

#include <stdio.h>

enum { MAX_FRAME = 100 * 1000 * 1000, MAX_POINTS = 1024 };

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

int64_t tni_cvat_frame_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    int64_t v = -1;
    if (strncmp(base, "frame_", 6) != 0) return -1;
    const size_t n = tni_stem_len(base);
    for (size_t i = 6; i < n; i++)
        if (base[i] < '0' || base[i] > '9') return -1;
    const tni_span digits = {base + 6, n - 6};
    return digits.len >= 6 && digits.len < 10 && tni_field_i64(digits, &v) ? v
                                                                           : -1;
}

size_t tni_cvat_tasks_of(const tni_cvat *c, uint32_t split)
{
    const char *name =
        split != TN_NONE && split != c->split ? c->d->splits[split] : "";
    void **slot = tni_strmap_find(&c->subsets, name, strlen(name));
    return slot != NULL ? (size_t)(uintptr_t)*slot : 0;
}

static const tni_cvat_task *task_of(const tni_cvat *c, int64_t id)
{
    char key[32];
    const int n = snprintf(key, sizeof key, "%lld", (long long)id);
    void **slot = tni_strmap_find(&c->tasks, key, (size_t)n);
    return slot != NULL ? *slot : NULL;
}

tn_status tni_cvat_frame(tni_cvat *c, const tni_xtree *t, const tni_xnode *at,
                         uint32_t split, int64_t task, int64_t frame,
                         uint32_t *image)
{
    char key[64], name[100];
    bool fresh = false;
    if (frame < 0 || frame > MAX_FRAME)
        return tni_xnode_fail(t, at, "frame %lld, expected 0 to 100,000,000",
                              (long long)frame);
    const tni_cvat_task *own = task_of(c, task);
    /* Frames of several tasks would be taken for each other. */
    if (tni_cvat_tasks_of(c, split) == 1) task = -1;
    const int n = snprintf(key, sizeof key, "%d/%lld/%lld", (int)split,
                           (long long)task, (long long)frame);
    void **slot = tni_strmap_find(&c->frames, key, (size_t)n);
    if (slot != NULL) {
        *image = (uint32_t)((uintptr_t)*slot - 1);
        return TN_OK;
    }
    char *kept = tni_arena_strndup(&c->r->scratch, key, (size_t)n);
    slot = kept != NULL ? tni_strmap_add(&c->frames, kept, (size_t)n, &fresh)
                        : NULL;
    if (slot == NULL) return no_memory(c->err);
    if (task >= 0)
        (void)snprintf(name, sizeof name, "task_%lld/frame_%06lld.png",
                       (long long)task, (long long)frame);
    else
        (void)snprintf(name, sizeof name, "frame_%06lld.png", (long long)frame);
    TN_TRY(tni_image_named(&c->images, name, split, tni_xnode_where(t, at),
                           NULL, image, NULL, c->err));
    *slot = (void *)((uintptr_t)*image + 1);
    tni_image_row *row = tni_image_at(c->d, *image);
    row->width = own != NULL && own->width > 0 ? own->width : c->width;
    row->height = own != NULL && own->height > 0 ? own->height : c->height;
    row->id_kind = TN_ID_INT;
    row->id = frame;
    return TN_OK;
}

static tn_status frame_of(const tni_xtree *t, const tni_xnode *n, int64_t *v)
{
    const char *text = tni_cvat_attr(n, "frame");
    if (text == NULL)
        return tni_xnode_fail(t, n,
                              "<%.40s> in a track has no attribute "
                              "'frame'",
                              n->name);
    if (tni_field_i64(tni_trim(tni_span_of(text)), v)) return TN_OK;
    return tni_xnode_fail(t, n, "frame is '%.40s', expected a whole number",
                          text);
}

/* A nested track: where its elements are looked for next. */
typedef struct cursor {
    const tni_xnode *track, *at;
    int64_t last; /* frame that was asked for last */
    bool sorted;  /* its elements are in the order of frames */
} cursor;

static const tni_xnode *next_shape(const tni_xnode *n)
{
    while (n != NULL && !tni_cvat_is_shape(n->name)) n = n->next;
    return n;
}

/* The nested tracks of a skeleton; the last has no track. */
static tn_status find_cursors(tni_cvat *c, const tni_xtree *t,
                              const tni_xnode *track, cursor **out)
{
    size_t n = 0;
    cursor *list = TNI_NEW_ARRAY(&c->nested, cursor, MAX_POINTS + 1);
    if (list == NULL) return no_memory(c->err);
    for (const tni_xnode *e = tni_xnode_child(track, "track"); e != NULL;
         e = tni_xnode_again(e)) {
        int64_t last = -1;
        if (n == MAX_POINTS)
            return tni_xnode_fail(t, track, "more than 1024 points");
        list[n].track = e;
        list[n].at = next_shape(e->first);
        list[n].sorted = true;
        for (const tni_xnode *s = list[n].at; s != NULL;
             s = next_shape(s->next)) {
            int64_t frame = 0;
            TN_TRY(frame_of(t, s, &frame));
            if (frame < last) list[n].sorted = false;
            last = frame;
        }
        n++;
    }
    *out = list;
    return TN_OK;
}

/* The element that is on this frame; skeletons mostly come frame by frame. */
static tn_status element_on(const tni_xtree *t, cursor *from, int64_t frame,
                            const tni_xnode **out)
{
    *out = NULL;
    if (!from->sorted || frame < from->last)
        from->at = next_shape(from->track->first);
    from->last = frame;
    while (from->at != NULL) {
        int64_t own = 0;
        TN_TRY(frame_of(t, from->at, &own));
        if (from->sorted && own > frame) return TN_OK;
        if (own == frame) {
            *out = from->at;
            return TN_OK;
        }
        from->at = next_shape(from->at->next);
    }
    return TN_OK;
}

/* The points of a skeleton on one frame: an element has the label of the track
 * it is in. */
static tn_status set_elements(tni_cvat *c, const tni_cvat_shape *s,
                              cursor *from, int64_t frame, uint32_t ann)
{
    const tni_xnode **list =
        TNI_NEW_ARRAY(&c->scratch, const tni_xnode *, MAX_POINTS);
    size_t n = 0;
    if (list == NULL) return no_memory(c->err);
    for (; from->track != NULL; from++) {
        const tni_xnode *found = NULL, *e = from->track;
        TN_TRY(element_on(s->t, from, frame, &found));
        if (found == NULL) continue;
        size_t count = 0;
        while (found->attrs[count] != NULL) count++;
        tni_xnode *copy = TNI_NEW(&c->scratch, tni_xnode);
        const char **attrs =
            TNI_NEW_ARRAY(&c->scratch, const char *, count + 3);
        const char *label = tni_cvat_attr(e, "label");
        if (copy == NULL || attrs == NULL) return no_memory(c->err);
        if (label == NULL)
            return tni_xnode_fail(s->t, e, "<track> has no attribute 'label'");
        memcpy(attrs, found->attrs, count * sizeof *attrs);
        attrs[count] = "label";
        attrs[count + 1] = label;
        *copy = *found;
        copy->attrs = attrs;
        list[n++] = copy;
    }
    return tni_cvat_set_points(c, s, ann, list, n);
}

static tn_status read_one(tni_cvat *c, tni_cvat_shape *s, const tni_xnode *n,
                          cursor *nested, uint32_t split, int64_t task)
{
    int64_t frame = 0;
    uint32_t ann = 0;
    TN_TRY(frame_of(s->t, n, &frame));
    TN_TRY(tni_cvat_frame(c, s->t, n, split, task, frame, &s->image));
    TN_TRY(tni_cvat_read_shape(c, s, n, &ann));
    if (tni_xnode_is(n, "skeleton") && nested[0].track != NULL)
        TN_TRY(set_elements(c, s, nested, frame, ann));
    tni_arena_reset(&c->scratch);
    return TN_OK;
}

static tn_status whole(const tni_xtree *t, const tni_xnode *n, const char *name,
                       int64_t *v)
{
    const char *text = tni_cvat_attr(n, name);
    if (text == NULL || text[0] == '\0') return TN_OK;
    if (tni_field_i64(tni_trim(tni_span_of(text)), v)) return TN_OK;
    return tni_xnode_fail(t, n, "%s is '%.40s', expected a whole number", name,
                          text);
}

tn_status tni_cvat_track(tni_cvat *c, const tni_xtree *t,
                         const tni_xnode *track)
{
    static const char *const ours[] = {"id",       "label",  "source",
                                       "group_id", "subset", "task_id"};
    tni_cvat_shape s;
    int64_t id = -1, task = -1, group = 0;
    uint32_t split = c->split;
    memset(&s, 0, sizeof s);
    c->video = true;
    s.t = t;
    if (tni_cvat_attr(track, "id") == NULL)
        return tni_xnode_fail(t, track, "<track> has no attribute 'id'");
    TN_TRY(whole(t, track, "id", &id));
    TN_TRY(whole(t, track, "task_id", &task));
    TN_TRY(whole(t, track, "group_id", &group));
    TN_TRY(tni_cvat_class(c, t, track, &s.cls));
    const char *subset = tni_cvat_attr(track, "subset");
    if (subset != NULL && subset[0] != '\0' && strcmp(subset, "default") != 0)
        TN_TRY(tni_add_split(c->d, subset, strlen(subset), &split, c->err));
    s.tracked = true;
    s.track = (double)id;
    s.group = (double)group;
    s.source = tni_cvat_attr(track, "source");
    for (size_t i = 0; track->attrs[i] != NULL; i += 2) {
        bool known = false;
        for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++)
            known = known || strcmp(track->attrs[i], ours[k]) == 0;
        if (!known)
            TN_TRY(tni_note_add(c->d, tni_xnode_where(t, track),
                                "track-attribute", c->err,
                                "the attribute '%.60s' of a track is not kept",
                                track->attrs[i]));
    }
    cursor *nested = NULL;
    tni_arena_reset(&c->nested);
    TN_TRY(find_cursors(c, t, track, &nested));
    for (const tni_xnode *n = track->first; n != NULL; n = n->next) {
        if (tni_cvat_is_shape(n->name))
            TN_TRY(read_one(c, &s, n, nested, split, task));
        else if (!tni_xnode_is(n, "track"))
            return tni_xnode_fail(t, n, "<%.40s> in a track, expected a shape",
                                  n->name);
    }
    return TN_OK;
}
