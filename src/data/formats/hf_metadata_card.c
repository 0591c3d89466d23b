/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hf_metadata_card.c - Hugging Face metadata: what the card (README.md) says
 *
 * Names of numbered classes (dataset_info), and which files are of which split
 * (configs with data_files). The split of a file is that of the first pattern
 * that matches its path, in the configuration that is loaded unless another is
 * asked for, then in the others.
 *
 * Source: huggingface.co/docs/hub/datasets-manual-configuration
 */
#include "data/formats/hf_metadata.h"

#include "data/yaml_tree.h"

enum { MAX_PATTERNS = 1024 };

/* --- names ------------------------------------------------------------ */

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

/* --- splits -------------------------------------------------------------- */

/* Where a pattern goes on when a star has to take one more character. */
typedef struct star {
    const char *pattern, *text; /* NULL: none so far */
    bool whole;                 /* names of folders only: of "**" and a slash */
} star;

/* One more character for a star; false when it may not have it. */
static bool widen(star *s, bool any, const char **pattern, const char **text)
{
    if (s->pattern == NULL || s->text[0] == '\0') return false;
    do {
        if (!any && s->text[0] == '/') return false;
        s->text++;
    } while (s->whole && s->text[0] != '\0' && s->text[-1] != '/');
    *pattern = s->pattern;
    *text = s->text;
    return !s->whole || s->text[-1] == '/';
}

/* The end of [...] if it has c, else NULL. */
static const char *in_brackets(const char *p, char c)
{
    const bool not = p[1] == '!' || p[1] == '^';
    const char *q = p + (not ? 2 : 1);
    bool found = false;
    for (bool first = true; *q != '\0' && (*q != ']' || first); q++) {
        first = false;
        if (q[1] == '-' && q[2] != ']' && q[2] != '\0') {
            found = found || (c >= q[0] && c <= q[2]);
            q += 2;
        } else {
            found = found || c == *q;
        }
    }
    return *q == ']' && found != not &&c != '/' ? q + 1 : NULL;
}

static const char *match_one(const char *p, char c)
{
    if (*p == '?') return c != '/' ? p + 1 : NULL;
    if (*p == '[' && strchr(p, ']') != NULL) return in_brackets(p, c);
    return *p == c ? p + 1 : NULL;
}

/* *, ? and [...] stay within a name, ** does not, and before a slash it may be
 * no folder at all. A later star of a kind never needs an earlier one to take
 * more, so that this takes no longer than the square of the path. */
bool tni_hf_match(const char *p, const char *t)
{
    star far = {NULL, NULL, false}, near = far;
    while (*t != '\0' || *p != '\0') {
        const char *next = NULL;
        if (p[0] == '*' && p[1] == '*') {
            while (*p == '*') p++;
            far = (star){*p == '/' ? p + 1 : p, t, *p == '/'};
            near.pattern = NULL;
            p = far.pattern;
        } else if (*p == '*') {
            near = (star){++p, t, false};
        } else if (*t != '\0' && *p != '\0' &&
                   (next = match_one(p, *t)) != NULL) {
            p = next;
            t++;
        } else if (!widen(&near, false, &p, &t)) {
            near.pattern = NULL;
            if (!widen(&far, true, &p, &t)) return false;
        }
    }
    return true;
}

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

/* A path that stays below the card's folder. */
static bool is_inside(const char *path)
{
    if (path[0] == '/' || strchr(path, '\\') != NULL ||
        strstr(path, "://") != NULL)
        return false;
    for (const char *p = path; p != NULL;) {
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return false;
        p = strchr(p, '/');
        if (p != NULL) p++;
    }
    return true;
}

typedef struct files {
    tni_reader *r;
    tni_hf_card *card;
    const char *dir; /* the configuration's data_dir; "" */
    tn_err *err;
} files;

static const char *scalar(const tni_yaml *node)
{
    return node != NULL && node->kind == TNI_YAML_SCALAR ? node->text : NULL;
}

/* One pattern, or a list. */
static tn_status add_patterns(files *f, const char *split, const tni_yaml *node)
{
    const char *path = scalar(node);
    if (node != NULL && node->kind == TNI_YAML_LIST)
        for (size_t i = 0; i < node->n; i++)
            TN_TRY(scalar(node->items[i]) != NULL
                       ? add_patterns(f, split, node->items[i])
                       : TN_OK);
    if (path == NULL || split == NULL || split[0] == '\0') return TN_OK;
    while (path[0] == '.' && path[1] == '/') path += 2;
    if (!is_inside(path))
        return tni_note_add(f->r->d, 0, "card", f->err,
                            "the card has files of split '%.60s' elsewhere: "
                            "'%.200s'; they are not fetched",
                            split, path);
    tni_hf_card *card = f->card;
    if (card->n_files == MAX_PATTERNS)
        return tni_fail(f->err, TN_ELIMIT,
                        "the card has more than %d patterns of data_files",
                        (int)MAX_PATTERNS);
    tni_hf_files *to = &card->files[card->n_files++];
    to->split = split;
    to->pattern = path;
    if (f->dir[0] != '\0') to->pattern = tni_join(f->r, f->dir, path);
    return to->pattern != NULL ? TN_OK : no_memory(f->err);
}

/* One pattern, [...], [{split: train, path: ...}] or {train: ...}. */
static tn_status add_data_files(files *f, const tni_yaml *node)
{
    if (node == NULL) return TN_OK;
    if (node->kind == TNI_YAML_MAP) {
        for (size_t i = 0; i + 1 < node->n; i += 2)
            TN_TRY(add_patterns(f, scalar(node->items[i]), node->items[i + 1]));
        return TN_OK;
    }
    TN_TRY(add_patterns(f, "train", node));
    if (node->kind != TNI_YAML_LIST) return TN_OK;
    for (size_t i = 0; i < node->n; i++) {
        const tni_yaml *of = node->items[i];
        if (of->kind == TNI_YAML_MAP)
            TN_TRY(add_patterns(f, scalar(tni_yaml_get(of, "split")),
                                tni_yaml_get(of, "path")));
    }
    return TN_OK;
}

static bool is_default(const tni_yaml *config)
{
    const char *name = scalar(tni_yaml_get(config, "config_name"));
    const char *chosen = scalar(tni_yaml_get(config, "default"));
    return (name != NULL && strcmp(name, "default") == 0) ||
           (chosen != NULL && strcmp(chosen, "true") == 0);
}

/* "./a/" as "a"; what leads elsewhere, and nothing, as "". */
static const char *folder_of(tni_reader *r, const char *dir)
{
    if (dir == NULL || !is_inside(dir)) return "";
    while (dir[0] == '.' && (dir[1] == '/' || dir[1] == '\0'))
        dir += dir[1] == '/' ? 2 : 1;
    size_t n = strlen(dir);
    while (n > 0 && dir[n - 1] == '/') n--;
    return tni_arena_strndup(&r->scratch, dir, n);
}

static tn_status read_configs(files *f, const tni_yaml *configs)
{
    if (configs == NULL || configs->kind != TNI_YAML_LIST) return TN_OK;
    f->card->files =
        TNI_NEW_ARRAY(&f->r->scratch, tni_hf_files, (size_t)MAX_PATTERNS);
    if (f->card->files == NULL) return no_memory(f->err);
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < configs->n; i++) {
            const tni_yaml *config = configs->items[i];
            if (config->kind != TNI_YAML_MAP ||
                is_default(config) != (first == 1))
                continue;
            f->dir = folder_of(f->r, scalar(tni_yaml_get(config, "data_dir")));
            if (f->dir == NULL) return no_memory(f->err);
            TN_TRY(add_data_files(f, tni_yaml_get(config, "data_files")));
        }
    return TN_OK;
}

const char *tni_hf_card_split(const tni_hf_card *card, const char *path)
{
    for (size_t i = 0; i < card->n_files; i++)
        if (tni_hf_match(card->files[i].pattern, path))
            return card->files[i].split;
    return NULL;
}

/* As the writer calls a split whose name load_dataset would not take. */
bool tni_hf_same_split(const char *folder, const char *split)
{
    for (; *folder != '\0'; folder++, split++) {
        const bool word = (*folder >= 'a' && *folder <= 'z') ||
                          (*folder >= 'A' && *folder <= 'Z') ||
                          (*folder >= '0' && *folder <= '9') || *folder == '_';
        if (*split != (word ? *folder : '_')) return false;
    }
    if (*split == '_') do
            split++;
        while (*split >= '0' && *split <= '9');
    return *split == '\0';
}

/* --- the card ------------------------------------------------------------ */

/* What stands between the two lines of "---"; empty: no such thing. */
static tni_span front_matter(tni_span text)
{
    const tni_span none = {NULL, 0};
    if (text.len < 8 || memcmp(text.p, "---", 3) != 0) return none;
    const char *end = text.p + text.len, *stop = text.p + 3;
    while (stop < end && (stop + 4 > end || memcmp(stop, "\n---", 4) != 0))
        stop++;
    return stop < end ? (tni_span){text.p + 3, (size_t)(stop - text.p) - 3}
                      : none;
}

static tn_status read_yaml(tni_reader *r, tni_span yaml, tni_hf_card *card,
                           tn_err *err)
{
    tni_yaml *root = NULL;
    tn_err why;
    memset(&why, 0, sizeof why);
    const tn_status status = tni_yaml_read(&root, yaml, 16, &r->scratch, &why);
    if (status == TN_ENOMEM) return no_memory(err);
    if (status != TN_OK)
        return tni_note_add(r->d, 0, "card", err,
                            "the card's names of classes and splits cannot be "
                            "read: %.200s",
                            why.message);
    const tni_yaml *info = tni_yaml_get(root, "dataset_info");
    const tni_yaml *of = find_feature(info, "objects", "objects", 0);
    card->unsplit = folder_name(tni_yaml_get(root, TNI_HF_UNSPLIT));
    if (!take_names(&card->objects, find_labels(of, 0), &r->scratch) ||
        !take_names(&card->labels,
                    find_labels(find_feature(info, "label", "labels", 0), 0),
                    &r->scratch))
        return no_memory(err);
    files f = {r, card, "", err};
    return read_configs(&f, tni_yaml_get(root, "configs"));
}

tn_status tni_hf_read_card(tni_reader *r, const char *folder, tni_hf_card *card,
                           tn_err *err)
{
    uint32_t source = 0;
    tni_span text = {NULL, 0};
    const char *path = tni_join(r, folder, "README.md");
    tn_err why;
    memset(&why, 0, sizeof why);
    if (path == NULL) return no_memory(err);
    if (!tni_path_look(path).is_file) return TN_OK;
    const tn_status status = tni_source_open(r->d, path, &source, &text, &why);
    if (status == TN_ENOMEM) return no_memory(err);
    if (status != TN_OK)
        return tni_note_add(r->d, 0, "card", err,
                            "the card (README.md) cannot be read: %.200s",
                            why.message);
    const tni_span yaml = front_matter(text);
    return yaml.p != NULL ? read_yaml(r, yaml, card, err) : TN_OK;
}
