/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_supervisely.c - Supervisely: meta.json, <dataset>/ann, <dataset>/img
 *
 * A project, one of its datasets, or one file. Datasets are splits, "ds0" is
 * none; datasets nested in others ("datasets/b") are folders in the names of
 * their images. Files are called x.png.json, old ones x.json. A file without
 * objects and tags says that its image has none.
 *
 * What is where in the model: tags of objects are attributes (`true` for a tag
 * without a value), tags of images with a value attributes of the image,
 * without one classes of it; where tags say more (who, when), they are kept
 * as they are too. Descriptions are captions. Holes and parts are rings, an
 * oriented_bbox turns clockwise by radians, a graph is named points (a node
 * that is disabled is hidden), a number as `instance` a group. A box beside
 * points, which Supervisely does not read, is kept as `bbox`. Other shapes
 * (alpha_mask, cuboid_2d) are kept field by field. Tags of the project and its
 * settings are fields of the dataset.
 *
 * Source: github.com/supervisely/supervisely, annotation and geometry
 */
#include "data/formats/supervisely.h"

/* --- recognising ------------------------------------------------------------------- */

static int score_file(tni_span head)
{
    if (!tni_has_text(head, "\"objects\"")) return 0;
    if (tni_has_text(head, "\"classTitle\"")) return 90;
    return tni_has_text(head, "\"size\"") && tni_has_text(head, "\"tags\"") &&
                   tni_has_text(head, "\"description\"")
               ? 75
               : 0;
}

static int score_dataset(const tni_probe *p, const char *folder)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    const char *ann = folder != NULL ? tni_join(p->r, folder, "ann") : NULL;
    if (ann == NULL || tni_list(p->r, ann, &e, &n, NULL) != TN_OK) return 0;
    for (size_t i = 0; i < n; i++)
        if (!e[i].is_dir && tni_ends_with(e[i].name, ".json"))
            return score_file(
                tni_probe_head(p, tni_join(p->r, ann, e[i].name)));
    return 0;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_file(p->head);
    if (tni_probe_has(p, "meta.json")) {
        const tni_span head =
            tni_probe_head(p, tni_join(p->r, p->path, "meta.json"));
        if (tni_has_text(head, "\"classes\"") &&
            (tni_has_text(head, "\"tags\"") ||
             tni_has_text(head, "\"projectType\"") ||
             tni_has_text(head, "\"shape\"")))
            return 92;
    }
    if (tni_probe_has(p, "ann")) return score_dataset(p, p->path);
    return 0;
}

/* --- what of it can be held ---------------------------------------------------------- */

const char **tni_sly_nodes(const tn_dataset *d, uint32_t cls, tni_arena *arena)
{
    const tni_class_row *row = tni_class_at(d, cls);
    const char **ids =
        TNI_NEW_ARRAY(arena, const char *, row->n_keypoints + 1u);
    tni_span config = {NULL, 0}, nodes, key, raw;
    if (ids == NULL || row->n_keypoints == 0) return NULL;
    for (uint32_t k = 0;; k++) {
        const tni_span *m =
            tni_sparse_find(&d->class_text[TN_TEXT_EXTRA], cls, k);
        if (m == NULL) break;
        const char *open = memchr(m->p, '{', m->len);
        if (m->len < 18 || memcmp(m->p, "\"geometry_config\"", 17) != 0 ||
            open == NULL)
            continue;
        config.p = open;
        config.len = (size_t)(m->p + m->len - open);
    }
    uint32_t n = 0;
    if (config.p != NULL && tni_json_member(config, "nodes", &nodes) &&
        nodes.p[0] == '{') {
        tni_json j;
        tni_json_init(&j, nodes.p, nodes.len, 0, NULL);
        if (tni_json_enter(&j, '{'))
            while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
                if (n < row->n_keypoints)
                    ids[n] = tni_json_unescape(arena, key, NULL);
                if (n < row->n_keypoints && ids[n] == NULL) return NULL;
                n++;
            }
    }
    if (n == row->n_keypoints) return ids;
    if (config.p != NULL) return NULL;
    /* A template of ours counts them. */
    for (uint32_t k = 0; k < row->n_keypoints; k++) {
        char *text = tni_arena_alloc(arena, 12, 1);
        if (text == NULL) return NULL;
        uint32_t v = k;
        int at = 11;
        text[at] = '\0';
        do text[--at] = (char)('0' + v % 10);
        while ((v /= 10) > 0);
        ids[k] = text + at;
    }
    return ids;
}

bool tni_sly_plain_tags(tni_span object, bool image)
{
    tni_json j;
    tni_span key, value;
    tni_json_init(&j, object.p, object.len, 0, NULL);
    if (!tni_json_enter(&j, '{')) return false;
    while (tni_json_key(&j, &key)) {
        const char kind = tni_json_peek(&j);
        if (!tni_json_skip(&j, &value) || key.len == 0) return false;
        if (kind != '0' && !(kind == 't' && !image) &&
            !(kind == '"' && value.len > 2))
            return false;
    }
    return j.status == TN_OK;
}

static tni_sly_block block_of(const tn_dataset *d, uint32_t ann)
{
    const uint32_t flags = *tni_flags_at(d, ann);
    if ((flags & TN_IS_TAG) != 0) return TNI_SLY_TAGS;
    return (flags & (TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS)) == 0 &&
                   tni_ann_at(d, ann)->class_index == TN_NONE
               ? TNI_SLY_TEXT
               : TNI_SLY_OBJECTS;
}

bool tni_sly_order(const tn_dataset *d, uint32_t image,
                   tni_sly_block order[TNI_SLY_BLOCKS])
{
    size_t n = 0, at[TNI_SLY_BLOCKS], n_blocks = 0, n_texts = 0;
    const uint32_t *list = tn_dataset_of_image(d, image, &n);
    bool ok = true;
    for (int b = 0; b < TNI_SLY_BLOCKS; b++) at[b] = SIZE_MAX;
    for (size_t k = 0; k < n; k++) {
        const tni_sly_block b = block_of(d, list[k]);
        n_texts += b == TNI_SLY_TEXT;
        if (at[b] != SIZE_MAX) {
            ok = ok && order[n_blocks - 1] == b;
            continue;
        }
        at[b] = k;
        order[n_blocks++] = b;
    }
    for (int b = 0; b < TNI_SLY_BLOCKS; b++)
        if (at[b] == SIZE_MAX) order[n_blocks++] = (tni_sly_block)b;
    return ok && n_texts < 2;
}

/* Whether every tag has values of one kind. */
static bool one_kind(const tn_dataset *d, tni_arena *arena)
{
    static const char *const kinds = "t0\"";
    const tni_sparse *const tables[2] = {&d->text[TN_TEXT_ATTRIBUTES],
                                         &d->image_text[TN_TEXT_ATTRIBUTES]};
    tni_strmap map;
    tni_strmap_init(&map, arena);
    for (int t = 0; t < 2; t++)
        for (uint32_t i = 0; i < tables[t]->values.n; i++) {
            const tni_span *object = TNI_ROW(&tables[t]->values, tni_span, i);
            tni_json j;
            tni_span key;
            tni_json_init(&j, object->p, object->len, 0, NULL);
            if (!tni_json_enter(&j, '{')) return false;
            while (tni_json_key(&j, &key)) {
                bool fresh = false;
                const char *kind = strchr(kinds, tni_json_peek(&j));
                void **slot = tni_strmap_add(&map, key.p, key.len, &fresh);
                if (slot == NULL || kind == NULL) return false;
                if (fresh) *slot = (void *)(uintptr_t)kind;
                if (*slot != (const void *)kind) return false;
                if (!tni_json_skip(&j, NULL)) return false;
            }
        }
    return true;
}

static uint64_t lost_of_row(const tn_dataset *d, uint32_t i, tn_shape *s)
{
    const uint32_t flags = *tni_flags_at(d, i);
    const uint32_t cls = tni_ann_at(d, i)->class_index;
    const tni_span *a = tni_sparse_find(&d->text[TN_TEXT_ATTRIBUTES], i, 0);
    const tni_span *t = tni_sparse_find(&d->text[TN_TEXT_CAPTION], i, 0);
    const tni_shape *cell = tni_sparse_find(&d->shape, i, 0);
    const tni_sly_block block = block_of(d, i);
    uint64_t lost = 0;
    double out[5];
    if (a != NULL &&
        (block != TNI_SLY_OBJECTS || !tni_sly_plain_tags(*a, false)))
        lost |= TNI_KEEPS(ATTRIBUTES);
    if (t != NULL &&
        (t->len < 3 || block == TNI_SLY_TAGS ||
         (block == TNI_SLY_OBJECTS &&
          (flags & (TN_HAS_BOX | TN_HAS_SHAPE | TN_HAS_KEYPOINTS)) == 0)))
        lost |= TNI_KEEPS(CAPTION);
    if ((flags & TN_HAS_KEYPOINTS) != 0 &&
        (cell != NULL || cls == TN_NONE ||
         tn_dataset_keypoints(d, i, s, NULL) != TN_OK ||
         (tni_class_at(d, cls)->n_keypoints > 0 &&
          s->n_points != tni_class_at(d, cls)->n_keypoints)))
        lost |= TNI_KEEPS(KEYPOINTS) | TNI_KEEPS(VISIBILITY);
    if (cell == NULL || tn_dataset_shape(d, i, s, NULL) != TN_OK) return lost;
    if (s->kind == TN_SHAPE_POINTS && s->n_points != 1)
        lost |= TNI_KEEPS(POINTS);
    if (s->kind == TN_SHAPE_QUAD &&
        (s->n_points != 4 || !tni_quad_is_rectangle(s->xy, out)))
        lost |= TNI_KEEPS(OBB);
    if (s->kind == TN_SHAPE_CUBOID) {
        bool faces = false;
        for (uint32_t k = 0;; k++) {
            const tni_span *m = tni_sparse_find(&d->text[TN_TEXT_EXTRA], i, k);
            if (m == NULL) break;
            faces = faces || (m->len > 8 && memcmp(m->p, "\"faces\"", 7) == 0);
        }
        if (!faces) lost |= TNI_KEEPS(CUBOID);
    }
    return lost;
}

static uint64_t plan(const tn_dataset *d, uint64_t counts[TNI_F_COUNT],
                     const char **variant)
{
    uint64_t keeps = tni_format_supervisely.keeps;
    tn_shape s = TN_SHAPE_INIT;
    tni_sly_block order[TNI_SLY_BLOCKS];
    const tni_sparse *texts = &d->image_text[TN_TEXT_ATTRIBUTES];
    tni_mem mem;
    tni_arena arena;
    (void)variant;
    for (uint32_t i = 0; i < d->anns.n; i++) keeps &= ~lost_of_row(d, i, &s);
    tn_shape_fini(&s);
    for (uint32_t i = 0; i < d->images.n; i++)
        if ((counts[TNI_F_TAG] > 0 || counts[TNI_F_CAPTION] > 0) &&
            !tni_sly_order(d, i, order))
            keeps &= ~(TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION));
    for (uint32_t i = 0; i < texts->values.n; i++)
        if (!tni_sly_plain_tags(*TNI_ROW(&texts->values, tni_span, i), true))
            keeps &= ~TNI_KEEPS(IMAGE_EXTRA);
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 12);
    if (!one_kind(d, &arena)) keeps &= ~TNI_KEEPS(ATTRIBUTES);
    tni_arena_fini(&arena);
    for (uint32_t i = 0; i < d->metas.n; i++)
        if (strncmp(TNI_ROW(&d->metas, tni_meta, i)->key, TNI_SLY_META,
                    sizeof TNI_SLY_META - 1) != 0)
            keeps &= ~TNI_KEEPS(META);
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (tni_class_at(d, i)->id_kind == TN_ID_TEXT)
            keeps &= ~TNI_KEEPS(CLASS_ID);
    return keeps;
}

const tni_format tni_format_supervisely = {
    .name = "supervisely",
    .title = "Supervisely JSON",
    .files = "meta.json",
    .source = "https://developer.supervisely.com/getting-started/"
              "supervisely-annotation-format",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(OBB) | TNI_KEEPS(POLYGON) |
             TNI_KEEPS(OUTLINE_BOX) | TNI_KEEPS(PARTS) | TNI_KEEPS(HOLE) |
             TNI_KEEPS(MASK) | TNI_KEEPS(DEGENERATE) | TNI_KEEPS(KEYPOINTS) |
             TNI_KEEPS(VISIBILITY) | TNI_KEEPS(KEYPOINT_NAMES) |
             TNI_KEEPS(POLYLINE) | TNI_KEEPS(POINTS) | TNI_KEEPS(CUBOID) |
             TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION) | TNI_KEEPS(ATTRIBUTES) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(GROUP) | TNI_KEEPS(ANN_ID) |
             TNI_KEEPS(IMAGE_ID) | TNI_KEEPS(CLASS_ID) | TNI_KEEPS(UNUSED) |
             TNI_KEEPS(CLASS_EXTRA) | TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) |
             TNI_KEEPS(META) | TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY),
    .probe = probe,
    .read = tni_sly_read,
    .plan = plan,
    .write = tni_sly_write,
};
