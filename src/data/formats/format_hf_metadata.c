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
 * numbers get the names the card (README.md) has for them, and files that its
 * configurations list get their splits.
 *
 * Source: huggingface.co/docs/datasets/image_dataset
 */
#include "data/formats/hf_metadata.h"

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
