/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format_hf_metadata.c - Hugging Face imagefolder with metadata
 *
 * metadata.jsonl or metadata.csv beside the images, in the folder itself, in a
 * folder per split or in data/<split>: a row for every image with its file_name
 * and any columns. Known are objects (a struct of lists: bbox, category or
 * categories, id, area, iscrowd, score; or a list of structs), label, text or
 * caption, width, height, image_id; all others are kept.
 *
 * bbox is left, top, width and height in pixels as the documentation says, and
 * nobody checks; the variant 'xyxy' reads and writes corners. Classes that are
 * numbers get the names the card (README.md) has for them.
 *
 * Source: huggingface.co/docs/datasets/image_dataset
 */
#include "data/formats/hf_metadata.h"

#include "data/yaml_tree.h"

#include <stdio.h>

static const struct {
    const char *name;
    tni_hf_role role;
} row_words[] = {
    {"file_name", TNI_HF_FILE}, {"objects", TNI_HF_OBJECTS},
    {"label", TNI_HF_LABEL},    {"labels", TNI_HF_LABEL},
    {"text", TNI_HF_TEXT},      {"caption", TNI_HF_TEXT},
    {"captions", TNI_HF_TEXT},  {"width", TNI_HF_WIDTH},
    {"height", TNI_HF_HEIGHT},  {"image_id", TNI_HF_IMAGE_ID},
};

static const struct {
    const char *name;
    tni_hf_role role;
} object_words[] = {
    {"bbox", TNI_HF_BBOX},
    {"bboxes", TNI_HF_BBOX},
    {"boxes", TNI_HF_BBOX},
    {"category", TNI_HF_CATEGORY},
    {"categories", TNI_HF_CATEGORY},
    {"category_id", TNI_HF_CATEGORY},
    {"label", TNI_HF_CATEGORY},
    {"labels", TNI_HF_CATEGORY},
    {"class", TNI_HF_CATEGORY},
    {"classes", TNI_HF_CATEGORY},
    {"id", TNI_HF_ID},
    {"bbox_id", TNI_HF_ID},
    {"area", TNI_HF_AREA},
    {"score", TNI_HF_SCORE},
    {"iscrowd", TNI_HF_CROWD},
    {"is_crowd", TNI_HF_CROWD},
};

tni_hf_role tni_hf_row_role(tni_span key)
{
    for (size_t i = 0; i < sizeof row_words / sizeof row_words[0]; i++)
        if (tni_span_is(key, row_words[i].name)) return row_words[i].role;
    return TNI_HF_EXTRA;
}

tni_hf_role tni_hf_object_role(tni_span key)
{
    for (size_t i = 0; i < sizeof object_words / sizeof object_words[0]; i++)
        if (tni_span_is(key, object_words[i].name)) return object_words[i].role;
    return TNI_HF_EXTRA;
}

int tni_hf_split(tni_span name)
{
    static const struct {
        const char *name;
        int split;
    } names[] = {{"train", 0},     {"training", 0}, {"validation", 1},
                 {"valid", 1},     {"val", 1},      {"dev", 1},
                 {"test", 2},      {"testing", 2},  {"eval", 2},
                 {"evaluation", 2}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (tni_span_is(name, names[i].name)) return names[i].split;
    return -1;
}

/* --- the card ------------------------------------------------------------ */

/* The names of the first class_label at or below a node. */
static const tni_yaml *find_labels(const tni_yaml *node, int depth)
{
    if (node == NULL || depth > 12 || node->kind == TNI_YAML_SCALAR)
        return NULL;
    const tni_yaml *names =
        tni_yaml_get(tni_yaml_get(node, "class_label"), "names");
    if (names != NULL) return names;
    for (size_t i = 0; i < node->n; i++) {
        names = find_labels(node->items[i], depth + 1);
        if (names != NULL) return names;
    }
    return NULL;
}

/* The feature of one of these names, wherever it is listed. */
static const tni_yaml *find_feature(const tni_yaml *node, const char *a,
                                    const char *b, int depth)
{
    if (node == NULL || depth > 12 || node->kind == TNI_YAML_SCALAR)
        return NULL;
    const tni_yaml *name = tni_yaml_get(node, "name");
    if (name != NULL && name->kind == TNI_YAML_SCALAR &&
        (strcmp(name->text, a) == 0 || strcmp(name->text, b) == 0))
        return node;
    for (size_t i = 0; i < node->n; i++) {
        const tni_yaml *found = find_feature(node->items[i], a, b, depth + 1);
        if (found != NULL) return found;
    }
    return NULL;
}

/* A list, or a map by number: {'0': cat, '1': dog}. */
static bool take_names(tni_hf_names *out, const tni_yaml *names,
                       tni_arena *arena)
{
    if (names == NULL || names->kind == TNI_YAML_SCALAR) return true;
    const bool map = names->kind == TNI_YAML_MAP;
    const size_t n = map ? names->n / 2 : names->n;
    out->names = TNI_NEW_ARRAY(arena, const char *, n + 1);
    if (out->names == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        int64_t at = (int64_t)i;
        const tni_yaml *name = names->items[map ? 2 * i + 1 : i];
        if (map) {
            tni_span key = {names->items[2 * i]->text,
                            names->items[2 * i]->len};
            if (names->items[2 * i]->kind != TNI_YAML_SCALAR ||
                !tni_field_i64(key, &at))
                at = -1;
        }
        if (at >= 0 && (uint64_t)at < n && name->kind == TNI_YAML_SCALAR)
            out->names[at] = name->text;
    }
    out->n = n;
    return true;
}

/* A folder's name and nothing that leads elsewhere. */
static const char *folder_name(const tni_yaml *node)
{
    if (node == NULL || node->kind != TNI_YAML_SCALAR || node->len == 0 ||
        node->text[0] == '.' || strpbrk(node->text, "/\\") != NULL)
        return NULL;
    return node->text;
}

tn_status tni_hf_read_card(tni_reader *r, const char *folder, tni_hf_card *card,
                           tn_err *err)
{
    tni_probe p;
    tni_yaml *root = NULL;
    tn_err why;
    memset(&p, 0, sizeof p);
    memset(&why, 0, sizeof why);
    p.r = r;
    tni_span head = tni_probe_head(&p, tni_join(r, folder, "README.md"));
    if (head.len < 8 || memcmp(head.p, "---", 3) != 0) return TN_OK;
    const char *end = head.p + head.len, *stop = head.p + 3;
    while (stop < end && (stop + 4 > end || memcmp(stop, "\n---", 4) != 0))
        stop++;
    if (stop == end) return TN_OK;
    const tni_span yaml = {head.p + 3, (size_t)(stop - head.p) - 3};
    const tn_status status = tni_yaml_read(&root, yaml, 16, &r->scratch, &why);
    if (status == TN_ENOMEM) return tni_fail(err, status, "out of memory");
    if (status != TN_OK)
        return tni_note_add(r->d, 0, "card", err,
                            "the card's names of classes cannot be read: "
                            "%.200s",
                            why.message);
    const tni_yaml *info = tni_yaml_get(root, "dataset_info");
    const tni_yaml *of = find_feature(info, "objects", "objects", 0);
    card->unsplit = folder_name(tni_yaml_get(root, TNI_HF_UNSPLIT));
    if (!take_names(&card->objects, find_labels(of, 0), &r->scratch) ||
        !take_names(&card->labels,
                    find_labels(find_feature(info, "label", "labels", 0), 0),
                    &r->scratch))
        return tni_fail(err, TN_ENOMEM, "out of memory");
    return TN_OK;
}

/* --- recognising --------------------------------------------------------- */

static int score_file(const char *name, tni_span head)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    if (!tni_has_text(head, "file_name")) return 0;
    if (strcmp(base, "metadata.jsonl") == 0 && tni_has_text(head, "{"))
        return 92;
    return strcmp(base, "metadata.csv") == 0 ? 92 : 0;
}

static int score_folder(const tni_probe *p, const char *folder)
{
    static const char *const names[] = {"metadata.jsonl", "metadata.csv"};
    int best = 0;
    for (size_t i = 0; i < 2 && folder != NULL; i++) {
        const char *path = tni_join(p->r, folder, names[i]);
        const int found =
            path != NULL ? score_file(path, tni_probe_head(p, path)) : 0;
        if (found > best) best = found;
    }
    return best;
}

static int probe(const tni_probe *p)
{
    if (!p->is_dir) return score_file(p->path, p->head);
    int best = score_folder(p, p->path);
    for (size_t i = 0; i < p->n_entries && best == 0; i++) {
        const tni_dir_entry *e = NULL;
        size_t n = 0;
        if (!p->entries[i].is_dir || p->entries[i].name[0] == '.') continue;
        const char *sub = tni_join(p->r, p->path, p->entries[i].name);
        best = score_folder(p, sub);
        if (best > 0 || sub == NULL || strcmp(p->entries[i].name, "data") != 0)
            continue;
        if (tni_list(p->r, sub, &e, &n, NULL) != TN_OK) return 0;
        for (size_t k = 0; k < n && best == 0; k++)
            if (e[k].is_dir)
                best = score_folder(p, tni_join(p->r, sub, e[k].name));
    }
    return best;
}

const tni_format tni_format_hf_metadata = {
    .name = "hf-metadata",
    .title = "Hugging Face imagefolder with metadata",
    .files = "metadata.jsonl",
    .source = "https://huggingface.co/docs/datasets/image_dataset",
    .variants = "xywh xyxy",
    .keeps = TNI_KEEPS(BOX) | TNI_KEEPS(TAG) | TNI_KEEPS(CAPTION) |
             TNI_KEEPS(EXTRA) | TNI_KEEPS(CROWD) | TNI_KEEPS(SCORE) |
             TNI_KEEPS(AREA) | TNI_KEEPS(ANN_ID) | TNI_KEEPS(IMAGE_ID) |
             TNI_KEEPS(CLASS_ID) | TNI_KEEPS(SIZE) | TNI_KEEPS(IMAGE_EXTRA) |
             TNI_KEEPS(SPLIT) | TNI_KEEPS(EMPTY) | TNI_KEEPS(UNKNOWN) |
             TNI_KEEPS(CLASSLESS),
    .flags = TNI_FORMAT_SEEN_CLASSES,
    .probe = probe,
    .read = tni_hf_read,
    .plan = tni_hf_plan,
    .write = tni_hf_write,
};
