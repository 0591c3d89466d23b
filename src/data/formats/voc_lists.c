/* SPDX-License-Identifier: Apache-2.0 */
/* voc_lists.c - writing ImageSets and labelmap.txt */
#include "data/formats/voc.h"

#include <stdio.h>

enum { MAX_TASKS = 32, MAX_NAME = 100 };

typedef struct lists {
    tni_writer *w;
    const tn_dataset *d;
    const uint8_t *segmented;
    tn_err *err;
    const char *tasks[MAX_TASKS];
    size_t n_tasks;
    bool said; /* images say which lists they are in */
} lists;

/* --- labelmap.txt ------------------------------------------------------------- */

bool tni_voc_hex(tni_span value, uint8_t rgb[3])
{
    unsigned v = 0;
    if (value.p == NULL || value.len != 9 || value.p[0] != '"' ||
        value.p[1] != '#')
        return false;
    for (int i = 2; i < 8; i++) {
        const char c = value.p[i] | 32;
        const bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) return false;
        v = v << 4 | (unsigned)(digit ? c - '0' : c - 'a' + 10);
    }
    for (int k = 0; k < 3; k++) rgb[k] = (uint8_t)(v >> (16 - 8 * k));
    return true;
}

void tni_voc_class_color(const tn_dataset *d, uint32_t index, uint8_t rgb[3])
{
    tni_voc_color(index < 256 ? index : index % 255 + 1, rgb);
    if (index == 0 || index > d->classes.n) return;
    static const uint8_t black[3] = {0, 0, 0};
    uint8_t own[3], border[3];
    tni_voc_color(TNI_VOC_VOID, border);
    /* Those two colors are the background's and the border's. */
    if (tni_voc_hex(
            tni_voc_member(&d->class_text[TN_TEXT_EXTRA], index - 1, "color"),
            own) &&
        memcmp(own, black, 3) != 0 && memcmp(own, border, 3) != 0)
        memcpy(rgb, own, 3);
}

/* Parts or actions of a class, as a line can hold them; NULL: none. */
static const char *words_of(const tn_dataset *d, uint32_t cls, const char *key,
                            tni_arena *arena)
{
    const tni_span t = tni_voc_member(&d->class_text[TN_TEXT_EXTRA], cls, key);
    if (t.p == NULL || t.p[0] != '"') return NULL;
    const char *plain = tni_json_scalar(t, arena);
    return plain != NULL && plain[0] != '\0' && strpbrk(plain, ":\r\n") == NULL
               ? plain
               : NULL;
}

bool tni_voc_keeps_labels(const tn_dataset *d)
{
    tni_mem mem;
    tni_arena arena;
    bool keeps = true;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 12);
    for (uint32_t i = 0; i < d->classes.n && keeps; i++) {
        const tni_sparse *s = &d->class_text[TN_TEXT_EXTRA];
        uint32_t n = 0, known = 0;
        uint8_t rgb[3];
        while (tni_sparse_find(s, i, n) != NULL) n++;
        if (tni_voc_hex(tni_voc_member(s, i, "color"), rgb)) known++;
        if (words_of(d, i, "parts", &arena) != NULL) known++;
        if (words_of(d, i, "actions", &arena) != NULL) known++;
        keeps =
            n == known &&
            tni_sparse_find(&d->class_text[TN_TEXT_ATTRIBUTES], i, 0) == NULL;
    }
    tni_arena_fini(&arena);
    return keeps;
}

tn_status tni_voc_write_labels(tni_writer *w, tn_err *err)
{
    char color[32];
    tni_target t;
    TN_TRY(tni_target_open(&t, w, "labelmap.txt", err));
    tni_out_str(&t.out,
                "# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
    for (uint32_t i = 0; i < w->d->classes.n; i++) {
        uint8_t rgb[3];
        const char *parts = words_of(w->d, i, "parts", &w->arena);
        const char *actions = words_of(w->d, i, "actions", &w->arena);
        tni_voc_class_color(w->d, i + 1, rgb);
        (void)snprintf(color, sizeof color, ":%d,%d,%d:", rgb[0], rgb[1],
                       rgb[2]);
        tni_out_str(&t.out, tni_class_at(w->d, i)->name);
        tni_out_str(&t.out, color);
        tni_out_str(&t.out, parts != NULL ? parts : "");
        tni_out_str(&t.out, ":");
        tni_out_str(&t.out, actions != NULL ? actions : "");
        tni_out_str(&t.out, "\n");
    }
    return tni_target_close(&t, err);
}

/* --- lists ---------------------------------------------------------------------- */

/* Whether it can be a part of a file's name. */
static bool is_plain(tni_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (strchr("/\\\"", name.p[i]) != NULL ||
            (unsigned char)name.p[i] < 0x20)
            return false;
    return name.len > 0 && name.len <= MAX_NAME && name.p[0] != '.';
}

/* Item k of the lists an image says it is in: task and split. */
static bool list_of(const lists *l, uint32_t image, size_t k, tni_span *task,
                    tni_span *split)
{
    const tni_span t =
        tni_voc_member(&l->d->image_text[TN_TEXT_EXTRA], image, "image_sets");
    tni_json j;
    tni_span raw;
    tn_err ignored;
    if (t.p == NULL || t.p[0] != '[') return false;
    tni_json_init(&j, t.p, t.len, 0, &ignored);
    if (!tni_json_enter(&j, '[')) return false;
    for (size_t i = 0; tni_json_item(&j); i++) {
        if (tni_json_peek(&j) != '"' || !tni_json_string(&j, &raw, NULL))
            return false;
        if (i < k) continue;
        const char *slash = memchr(raw.p, '/', raw.len);
        if (slash == NULL) return false;
        task->p = raw.p;
        task->len = (size_t)(slash - raw.p);
        split->p = slash + 1;
        split->len = raw.len - task->len - 1;
        return true;
    }
    return false;
}

static bool is_task(tni_span task)
{
    return is_plain(task);
}

static tn_status find_tasks(lists *l)
{
    tni_span task, split;
    bool pictures = false;
    l->tasks[l->n_tasks++] = "Main";
    for (uint32_t i = 0; i < l->d->images.n; i++) {
        pictures = pictures || l->segmented[i] != 0;
        for (size_t k = 0; list_of(l, i, k, &task, &split); k++) {
            bool known = !is_task(task);
            for (size_t t = 0; t < l->n_tasks; t++)
                known = known || tni_span_is(task, l->tasks[t]);
            l->said = true;
            if (known || l->n_tasks == MAX_TASKS) continue;
            const char *copy =
                tni_arena_strndup(&l->w->arena, task.p, task.len);
            if (copy == NULL)
                return tni_fail(l->err, TN_ENOMEM, "out of memory");
            l->tasks[l->n_tasks++] = copy;
        }
    }
    if (!l->said && pictures) l->tasks[l->n_tasks++] = "Segmentation";
    return TN_OK;
}

/* Whether an image is in the list of a task; split TN_NONE: of those without. */
static bool is_listed(const lists *l, uint32_t image, const char *task,
                      uint32_t split)
{
    const uint64_t splits = tni_image_at(l->d, image)->splits;
    tni_span t, s;
    bool any = false, here = false;
    if (split == TN_NONE ? splits != 0 : (splits >> split & 1) == 0)
        return false;
    if (strcmp(task, "Segmentation") == 0 && !l->said)
        return l->segmented[image] != 0;
    for (size_t k = 0; split != TN_NONE && list_of(l, image, k, &t, &s); k++) {
        if (!tni_span_is(s, l->d->splits[split]) || !is_task(t)) continue;
        any = true;
        here = here || tni_span_is(t, task);
    }
    return any ? here : strcmp(task, "Main") == 0;
}

/* Nothing else in the target tells its whole name. */
static bool is_lone(const lists *l, uint32_t image)
{
    const tni_image_row *r = tni_image_at(l->d, image);
    return r->state == TN_STATE_UNKNOWN &&
           (l->w->files == TN_FILES_NONE || !tni_image_there(l->d, image) ||
            !tni_is_image_name(l->w->names[image]));
}

static tn_status put_list(lists *l, const char *task, uint32_t split)
{
    char path[600];
    tni_target t;
    bool any = false;
    const char *name = split != TN_NONE ? l->d->splits[split] : "default";
    for (uint32_t i = 0; i < l->d->images.n && !any; i++)
        any = is_listed(l, i, task, split);
    bool needed = split != TN_NONE && strcmp(task, "Main") == 0;
    /* Without a split only what has no other trace is listed. */
    for (uint32_t i = 0; split == TN_NONE && i < l->d->images.n; i++)
        needed = needed || (is_lone(l, i) && is_listed(l, i, task, split));
    if (split == TN_NONE ? !needed : !any && !needed) return TN_OK;
    (void)snprintf(path, sizeof path, "ImageSets/%s/%.400s.txt", task, name);
    TN_TRY(tni_target_open(&t, l->w, path, l->err));
    for (uint32_t i = 0; i < l->d->images.n; i++) {
        const char *image = l->w->names[i];
        if (!is_listed(l, i, task, split)) continue;
        tni_out_bytes(&t.out, image,
                      is_lone(l, i) ? strlen(image) : tni_stem_len(image));
        tni_out_str(&t.out, "\n");
    }
    return tni_target_close(&t, l->err);
}

/* --- classes of images ------------------------------------------------------------ */

bool tni_voc_keeps_tags(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (!is_plain(tni_span_of(tni_class_at(d, i)->name))) return false;
    for (uint32_t i = 0; i < d->n_splits; i++)
        for (uint32_t k = 0; k < d->n_splits; k++) {
            const size_t n = strlen(d->splits[i]), m = strlen(d->splits[k]);
            if (n > m && d->splits[i][n - m - 1] == '_' &&
                strcmp(d->splits[i] + n - m, d->splits[k]) == 0)
                return false;
        }
    return true;
}

/* 1: has the class, 0: only difficult ones, -1: has not. */
static int value_of(lists *l, uint32_t image, uint32_t cls)
{
    size_t n = 0;
    int value = -1;
    const uint32_t *anns = tn_dataset_of_image(l->d, image, &n);
    for (size_t i = 0; i < n; i++) {
        const uint32_t flags = *tni_flags_at(l->d, anns[i]);
        if (tni_ann_at(l->d, anns[i])->class_index != cls) continue;
        const bool tag = (flags & TN_IS_TAG) != 0;
        if (tag) l->w->written[anns[i]] = 1;
        if (!tag && l->w->written[anns[i]] == 0) continue;
        if ((flags & TN_IS_DIFFICULT) == 0)
            value = 1;
        else if (value < 0)
            value = 0;
    }
    return value;
}

static tn_status put_class(lists *l, uint32_t cls, uint32_t split)
{
    char path[600];
    tni_target t;
    bool any = false;
    const char *name = split != TN_NONE ? l->d->splits[split] : "default";
    for (uint32_t i = 0; i < l->d->images.n && !any; i++)
        any = is_listed(l, i, "Main", split);
    if (!any) return TN_OK;
    (void)snprintf(path, sizeof path, "ImageSets/Main/%s_%.400s.txt",
                   tni_class_at(l->d, cls)->name, name);
    TN_TRY(tni_target_open(&t, l->w, path, l->err));
    for (uint32_t i = 0; i < l->d->images.n; i++) {
        const char *image = l->w->names[i];
        if (!is_listed(l, i, "Main", split)) continue;
        const int value = value_of(l, i, cls);
        tni_out_bytes(&t.out, image,
                      is_lone(l, i) ? strlen(image) : tni_stem_len(image));
        tni_out_str(&t.out, value < 0   ? " -1\n"
                            : value > 0 ? "  1\n"
                                        : "  0\n");
    }
    return tni_target_close(&t, l->err);
}

static bool has_tags(const tn_dataset *d)
{
    for (uint32_t i = 0; i < d->anns.n; i++)
        if ((*tni_flags_at(d, i) & TN_IS_TAG) != 0) return true;
    return false;
}

tn_status tni_voc_write_lists(tni_writer *w, const uint8_t *segmented,
                              tn_err *err)
{
    lists l;
    memset(&l, 0, sizeof l);
    l.w = w;
    l.d = w->d;
    l.segmented = segmented;
    l.err = err;
    for (uint32_t s = 0; s < w->d->n_splits; s++)
        if (strcmp(w->d->splits[s], "default") == 0)
            return tni_fail(err, TN_EUNSUPPORTED,
                            "a split called 'default' is taken for none; "
                            "rename it");
    TN_TRY(find_tasks(&l));
    for (size_t t = 0; t < l.n_tasks; t++)
        for (uint32_t s = 0; s < w->d->n_splits; s++)
            TN_TRY(put_list(&l, l.tasks[t], s));
    TN_TRY(put_list(&l, "Main", TN_NONE));
    if ((w->keeps & TNI_KEEPS(TAG)) == 0 || !has_tags(w->d)) return TN_OK;
    for (uint32_t c = 0; c < w->d->classes.n; c++)
        for (uint32_t s = 0; s <= w->d->n_splits; s++)
            TN_TRY(put_class(&l, c, s < w->d->n_splits ? s : TN_NONE));
    return TN_OK;
}
