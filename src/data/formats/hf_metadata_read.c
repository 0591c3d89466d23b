/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hf_metadata_read.c - Hugging Face metadata: reading
 *
 * A line of JSON is a row; a record of CSV is made one. Objects are read with a
 * cursor in each of their lists, one entry at a time.
 */
#include "data/formats/hf_metadata.h"

#include "base/utf8.h"
#include "data/csv.h"

#include <stdio.h>

enum { MAX_LISTS = 64, PATH_SIZE = 4096 };

typedef struct metadata {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_classes classes;
    tni_image_set images;
    tni_draft *draft;
    tni_hf_card card;
    tni_strmap read; /* folders whose metadata has been read */
    const char *folders[3], *top;
    const char *below; /* the card's folder: where the metadata is; "" */
    const char *named; /* the split the folder is called after; NULL: none */
    bool renamed;      /* the card calls the folder's split otherwise */
    uint32_t source, split;
    uint64_t base; /* byte where the row begins */
    tn_box_form form;
    uint64_t boxes, outside, crossed; /* if xywh, if xyxy */
    uint64_t first_outside;
    bool unsplit; /* in the folder of images that are in no split */
} metadata;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static uint64_t here(const metadata *m)
{
    return tni_where(m->source, m->base);
}

/* --- classes ------------------------------------------------------------- */

/* A text, a number with or without a name; null is none. */
static tn_status read_class(metadata *m, tni_json *j, const tni_hf_names *names,
                            uint32_t *cls)
{
    char text[32];
    int64_t v = 0;
    *cls = TN_NONE;
    const char kind = tni_json_peek(j);
    if (kind == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    if (kind == '"') {
        tni_span raw = {NULL, 0};
        bool escaped = false;
        if (!tni_json_string(j, &raw, &escaped)) return j->status;
        const char *name = tni_keep_json(m->d, raw, escaped);
        if (name == NULL) return no_memory(m->err);
        return tni_class_named(&m->classes, tni_span_of(name), here(m), cls,
                               m->err);
    }
    if (!tni_json_i64(j, &v)) return j->status;
    (void)snprintf(text, sizeof text, "%lld", (long long)v);
    const bool named =
        v >= 0 && (uint64_t)v < names->n && names->names[v] != NULL;
    TN_TRY(tni_class_named(&m->classes,
                           tni_span_of(named ? names->names[v] : text), here(m),
                           cls, m->err));
    tni_class_row *row = tni_class_at(m->d, *cls);
    if (row->id_kind == TN_ID_NONE) {
        row->id_kind = TN_ID_INT;
        row->id = v;
    }
    return TN_OK;
}

/* --- objects ------------------------------------------------------------- */

typedef struct object {
    tni_ann a;
    double area, score;
    bool has_area, has_score;
    tni_span extras[MAX_LISTS]; /* members */
    size_t n_extras;
} object;

static tn_status read_bbox(metadata *m, tni_json *j, object *o)
{
    double v[4] = {0};
    size_t n = 0;
    if (tni_json_null(j)) return TN_OK;
    const char *at = j->p;
    if (!tni_json_vector(j, v, 4, &n)) return j->status;
    if (n != 4) {
        (void)tni_json_fail(j, at,
                            "a bbox has %zu numbers, expected 4 (left, top, "
                            "width, height)",
                            n);
        return j->status;
    }
    memcpy(o->a.box, v, sizeof v);
    o->a.flags |= TN_HAS_BOX | TNI_FORM(m->form);
    return TN_OK;
}

static tn_status read_crowd(tni_json *j, object *o)
{
    double v = 0.0;
    bool yes = false;
    const char kind = tni_json_peek(j);
    if (kind == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    if (kind == 't' || kind == 'f') {
        if (!tni_json_bool(j, &yes)) return j->status;
    } else {
        if (!tni_json_f64(j, &v)) return j->status;
        yes = v != 0.0;
    }
    o->a.flags |= TN_SAYS_CROWD | (yes ? (uint32_t)TN_IS_CROWD : 0u);
    return TN_OK;
}

static tn_status read_number(tni_json *j, double *out, bool *has)
{
    if (tni_json_peek(j) == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    *has = tni_json_f64(j, out);
    return j->status;
}

static tn_status read_id(metadata *m, tni_json *j, object *o)
{
    tni_jsonfile f;
    uint8_t kind = TN_ID_NONE;
    memset(&f, 0, sizeof f);
    f.d = m->d;
    f.err = m->err;
    if (tni_json_peek(j) == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    TN_TRY(tni_jsonfile_id(&f, j, &kind, &o->a.id));
    o->a.flags |= TNI_ID(kind);
    return TN_OK;
}

/* "key": value, made, since in a struct of lists they are not together. */
static tn_status add_extra(metadata *m, object *o, tni_span key, tni_json *j)
{
    tni_span raw;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_skip(j, &raw)) return j->status;
    if (tni_span_is(raw, "null")) return TN_OK;
    if (o->n_extras == MAX_LISTS) {
        (void)tni_json_fail(j, at, "an object with more than %d fields",
                            (int)MAX_LISTS);
        return j->status;
    }
    tni_out *out = tni_draft_begin(m->draft);
    tni_out_char(out, '"');
    tni_out_bytes(out, key.p, key.len);
    tni_out_str(out, "\": ");
    tni_out_bytes(out, raw.p, raw.len);
    return tni_draft_keep(m->draft, m->d, &o->extras[o->n_extras++]);
}

static tn_status read_field(metadata *m, object *o, tni_span key, tni_json *j)
{
    switch (tni_hf_object_role(key)) {
    case TNI_HF_BBOX: return read_bbox(m, j, o);
    case TNI_HF_CATEGORY:
        return read_class(m, j, &m->card.objects, &o->a.class_index);
    case TNI_HF_ID: return read_id(m, j, o);
    case TNI_HF_AREA: return read_number(j, &o->area, &o->has_area);
    case TNI_HF_SCORE: return read_number(j, &o->score, &o->has_score);
    case TNI_HF_CROWD: return read_crowd(j, o);
    default: return add_extra(m, o, key, j);
    }
}

/* Which of the two meanings a box would contradict. */
static void weigh(metadata *m, const tni_ann *a)
{
    double w = 0.0, h = 0.0;
    const double *b = a->box;
    if ((a->flags & TN_HAS_BOX) == 0) return;
    m->boxes++;
    if (b[2] < b[0] || b[3] < b[1]) m->crossed++;
    if (b[2] < 0.0 || b[3] < 0.0 ||
        (tni_image_extent(m->d, a->image, &w, &h) &&
         (b[0] + b[2] > w + 1.0 || b[1] + b[3] > h + 1.0)))
        if (m->outside++ == 0) m->first_outside = a->where;
}

static void begin_object(const metadata *m, object *o, uint32_t image)
{
    memset(o, 0, sizeof *o);
    o->a.image = image;
    o->a.class_index = TN_NONE;
    o->a.where = here(m);
}

static tn_status add_object(metadata *m, const object *o)
{
    uint32_t ann = 0;
    tni_ann a = o->a;
    if ((a.flags & TN_HAS_BOX) == 0) a.flags |= TN_IS_TAG;
    TN_TRY(tni_add_annotation(m->d, &a, &ann, m->err));
    if (o->has_area)
        TN_TRY(tni_set_num(m->d, ann, TN_NUM_AREA, o->area, m->err));
    if (o->has_score)
        TN_TRY(tni_set_num(m->d, ann, TN_NUM_SCORE, o->score, m->err));
    for (size_t i = 0; i < o->n_extras; i++)
        TN_TRY(tni_set_text(m->d, ann, TN_TEXT_EXTRA, o->extras[i], m->err));
    weigh(m, &a);
    return TN_OK;
}

typedef struct list {
    tni_span key;
    tni_json at;
} list;

/* {"bbox": [...], "category": [...]}: an entry of each at a time. */
static tn_status read_columns(metadata *m, tni_json *j, uint32_t image)
{
    list lists[MAX_LISTS];
    size_t n = 0;
    tni_span key;
    object o;
    const char *at = j->p;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        if (tni_json_peek(j) == 'n') {
            (void)tni_json_null(j);
            continue;
        }
        if (n == MAX_LISTS || tni_json_peek(j) != '[') {
            (void)tni_json_fail(j, key.p,
                                "'%.*s' of objects is no list, or there are "
                                "more than %d",
                                key.len > 40 ? 40 : (int)key.len, key.p,
                                (int)MAX_LISTS);
            return j->status;
        }
        lists[n].key = key;
        lists[n].at = *j;
        if (!tni_json_skip(j, NULL)) return j->status;
        if (!tni_json_enter(&lists[n].at, '[')) return lists[n].at.status;
        n++;
    }
    TN_TRY(j->status);
    for (bool more = n > 0; more;) {
        begin_object(m, &o, image);
        for (size_t k = 0; k < n; k++) {
            const bool has = tni_json_item(&lists[k].at);
            TN_TRY(lists[k].at.status);
            if (k == 0) more = has;
            if (has != more) {
                (void)tni_json_fail(j, at,
                                    "the lists of objects differ in length "
                                    "('%.*s', '%.*s')",
                                    (int)lists[0].key.len, lists[0].key.p,
                                    (int)lists[k].key.len, lists[k].key.p);
                return j->status;
            }
            if (has) TN_TRY(read_field(m, &o, lists[k].key, &lists[k].at));
        }
        if (more) TN_TRY(add_object(m, &o));
    }
    return TN_OK;
}

/* [{"bbox": [...], "category": ...}, ...] */
static tn_status read_structs(metadata *m, tni_json *j, uint32_t image)
{
    tni_span key;
    object o;
    if (!tni_json_enter(j, '[')) return j->status;
    while (tni_json_item(j)) {
        begin_object(m, &o, image);
        if (!tni_json_enter(j, '{')) return j->status;
        while (tni_json_key(j, &key)) TN_TRY(read_field(m, &o, key, j));
        TN_TRY(j->status);
        TN_TRY(add_object(m, &o));
    }
    return j->status;
}

/* --- rows ---------------------------------------------------------------- */

static tn_status add_tag(metadata *m, uint32_t image, tni_json *j)
{
    object o;
    begin_object(m, &o, image);
    TN_TRY(read_class(m, j, &m->card.labels, &o.a.class_index));
    return o.a.class_index != TN_NONE ? add_object(m, &o) : TN_OK;
}

static tn_status add_caption(metadata *m, uint32_t image, tni_json *j)
{
    tni_ann a;
    tni_span raw;
    uint32_t ann = 0;
    if (tni_json_peek(j) == 'n') {
        (void)tni_json_null(j);
        return j->status;
    }
    const char *at = j->p;
    if (tni_json_peek(j) != '"') {
        (void)tni_json_fail(j, at, "a text or caption is no string");
        return j->status;
    }
    if (!tni_json_skip(j, &raw)) return j->status;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.class_index = TN_NONE;
    a.where = here(m);
    TN_TRY(tni_add_annotation(m->d, &a, &ann, m->err));
    return tni_set_text(m->d, ann, TN_TEXT_CAPTION, raw, m->err);
}

/* One of them, or a list. */
static tn_status each(metadata *m, uint32_t image, tni_json *j,
                      tn_status (*add)(metadata *m, uint32_t image,
                                       tni_json *j))
{
    if (tni_json_peek(j) != '[') return add(m, image, j);
    if (!tni_json_enter(j, '[')) return j->status;
    while (tni_json_item(j)) TN_TRY(add(m, image, j));
    return j->status;
}

/* The split the card gives to a file; NULL: none, or that of the folder. */
static const char *card_split(const metadata *m, const char *name)
{
    char path[PATH_SIZE];
    if (m->card.n_files == 0 || m->unsplit) return NULL;
    const int n = snprintf(path, sizeof path, "%s%s%s", m->below,
                           m->below[0] != '\0' ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof path) return NULL;
    const char *split = tni_hf_card_split(&m->card, path);
    return split == NULL ||
                   (m->named != NULL && tni_hf_same_split(m->named, split))
               ? NULL
               : split;
}

/* The image of a row: of the card's split, or of the folder's; a file_name that
 * begins with a split's folder is of that. */
static tn_status image_of(metadata *m, const char *name, uint32_t *image,
                          bool *fresh)
{
    uint32_t split = m->split;
    const char *slash = strchr(name, '/'), *other = card_split(m, name);
    if (m->renamed) { /* several folders may be of one split */
        name = tni_join(m->r, m->below, name);
        if (name == NULL) return no_memory(m->err);
    }
    const tni_span front = {name, slash != NULL ? (size_t)(slash - name) : 0};
    const bool fits = other == NULL || tni_span_is(front, other);
    if (fits && split == TN_NONE && !m->unsplit && tni_hf_split(front) >= 0) {
        TN_TRY(tni_add_split(m->d, front.p, front.len, &split, m->err));
        const char *folder = tni_join(m->r, m->top, m->d->splits[split]);
        if (folder == NULL) return no_memory(m->err);
        const char *folders[2] = {folder, NULL};
        return tni_image_named(&m->images, slash + 1, split, here(m), folders,
                               image, fresh, m->err);
    }
    if (other != NULL)
        TN_TRY(tni_add_split(m->d, other, strlen(other), &split, m->err));
    return tni_image_named(&m->images, name, split, here(m), m->folders, image,
                           fresh, m->err);
}

static tn_status read_rest(metadata *m, tni_json *j, uint32_t image)
{
    tni_span key, raw;
    tni_jsonfile f;
    memset(&f, 0, sizeof f);
    f.d = m->d;
    f.err = m->err;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        tni_image_row *row = tni_image_at(m->d, image);
        const char kind = tni_json_peek(j);
        const tni_hf_role role = tni_hf_row_role(key);
        if (kind == 'n' || role == TNI_HF_FILE || role == TNI_HF_WIDTH ||
            role == TNI_HF_HEIGHT) {
            if (!tni_json_skip(j, &raw)) return j->status;
            if (role == TNI_HF_EXTRA)
                TN_TRY(tni_set_image_text(m->d, image, TN_TEXT_EXTRA,
                                          tni_json_whole(key, raw), m->err));
            continue;
        }
        if (role == TNI_HF_IMAGE_ID) {
            TN_TRY(tni_jsonfile_id(&f, j, &row->id_kind, &row->id));
        } else if (role == TNI_HF_LABEL) {
            TN_TRY(each(m, image, j, add_tag));
        } else if (role == TNI_HF_TEXT) {
            TN_TRY(each(m, image, j, add_caption));
        } else if (role == TNI_HF_OBJECTS) {
            row->state = TN_STATE_EMPTY;
            TN_TRY(kind == '[' ? read_structs(m, j, image)
                               : read_columns(m, j, image));
        } else {
            if (!tni_json_skip(j, &raw)) return j->status;
            TN_TRY(tni_set_image_text(m->d, image, TN_TEXT_EXTRA,
                                      tni_json_whole(key, raw), m->err));
        }
    }
    return j->status;
}

static tn_status read_row(metadata *m, tni_json *j)
{
    tni_span key;
    const char *name = NULL;
    int32_t w = 0, h = 0;
    uint32_t image = TN_NONE;
    bool fresh = false, several = false;
    tni_jsonfile f;
    memset(&f, 0, sizeof f);
    f.d = m->d;
    f.err = m->err;
    (void)tni_json_peek(j);
    tni_json again = *j;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const tni_hf_role role = tni_hf_row_role(key);
        if (role == TNI_HF_FILE)
            TN_TRY(tni_jsonfile_text(&f, j, &name));
        else if (role == TNI_HF_WIDTH)
            TN_TRY(tni_jsonfile_size(&f, j, &w));
        else if (role == TNI_HF_HEIGHT)
            TN_TRY(tni_jsonfile_size(&f, j, &h));
        else if (!tni_json_skip(j, NULL))
            break;
        several = several || (key.len > 10 && memcmp(key.p + key.len - 10,
                                                     "_file_name", 10) == 0);
    }
    (void)!tni_json_end(j);
    TN_TRY(j->status);
    if (name == NULL || name[0] == '\0') {
        (void)tni_json_fail(j, again.p,
                            several ? "a row of several files (..._file_name); "
                                      "one image a row is read"
                                    : "a row has no 'file_name'");
        return j->status;
    }
    TN_TRY(image_of(m, name, &image, &fresh));
    if (!fresh) {
        (void)tni_json_fail(j, again.p, "'%.100s' has a second row", name);
        return j->status;
    }
    tni_image_at(m->d, image)->width = w;
    tni_image_at(m->d, image)->height = h;
    return read_rest(m, &again, image);
}

/* --- files --------------------------------------------------------------- */

static tn_status read_jsonl(metadata *m, const char *path)
{
    tni_span text = {NULL, 0}, line;
    tni_lines l;
    TN_TRY(tni_source_open(m->d, path, &m->source, &text, m->err));
    tni_lines_init(&l, text);
    while (tni_lines_next(&l, &line)) {
        m->base = (uint64_t)(line.p - l.start);
        if (tni_trim(line).len == 0) continue;
        tni_json j;
        tni_json_init(&j, text.p, text.len, m->d->limits.max_nesting, m->err);
        j.p = line.p;
        j.end = line.p + line.len;
        const tn_status status = read_row(m, &j);
        if (status != TN_OK) {
            tni_err_where(m->err, "%s, line %d", path, l.number);
            return status;
        }
        if ((l.number & 255) == 0)
            TN_TRY(tni_reader_progress(m->r, m->base, text.len, m->err));
    }
    return TN_OK;
}

static bool is_json(tni_span t)
{
    tni_json j;
    tn_err ignored;
    if (t.len == 0 || strchr("{[-0123456789", t.p[0]) == NULL) return false;
    tni_json_init(&j, t.p, t.len, 0, &ignored);
    return tni_json_skip(&j, NULL) && tni_json_end(&j);
}

/* A record as an object: what is JSON stays, the rest is text. */
static tn_status read_record(metadata *m, const tni_csv *c, const char **names,
                             size_t n_names)
{
    tni_span row;
    tni_out *o = tni_draft_begin(m->draft);
    const char *between = "{";
    for (size_t i = 0; i < c->n && i < n_names; i++) {
        const tni_span t = c->fields[i].text;
        const tni_hf_role role = tni_hf_row_role(tni_span_of(names[i]));
        if (t.len == 0) continue;
        tni_out_str(o, between);
        between = ", ";
        tni_out_json(o, names[i], strlen(names[i]));
        tni_out_str(o, ": ");
        if (role != TNI_HF_FILE && role != TNI_HF_TEXT && is_json(t))
            tni_out_bytes(o, t.p, t.len);
        else
            tni_out_json(o, t.p, t.len);
    }
    tni_out_str(o, between[0] == '{' ? "{}" : "}");
    TN_TRY(tni_draft_keep(m->draft, m->d, &row));
    tni_json j;
    tni_json_init(&j, row.p, row.len, m->d->limits.max_nesting, m->err);
    const tn_status status = read_row(m, &j);
    if (status != TN_OK && m->err != NULL) m->err->offset = m->base;
    return status;
}

static tn_status read_records(metadata *m, tni_span text, tni_arena *arena)
{
    tni_csv c;
    const size_t good = tni_utf8_valid(text.p, text.len);
    if (good < text.len)
        return tni_fail_at(m->err, TN_EFORMAT, good,
                           "byte %zu is not UTF-8; save the file as UTF-8",
                           good);
    tni_csv_init(&c, text, ',', arena, m->err);
    if (!tni_csv_next(&c)) return c.status;
    const size_t n = c.n;
    const char **names = TNI_NEW_ARRAY(arena, const char *, n + 1);
    if (names == NULL) return no_memory(m->err);
    for (size_t i = 0; i < n; i++) {
        names[i] =
            tni_arena_strndup(arena, c.fields[i].text.p, c.fields[i].text.len);
        if (names[i] == NULL) return no_memory(m->err);
    }
    while (tni_csv_next(&c)) {
        m->base = c.offset;
        if (c.n != n)
            return tni_csv_fail(&c, NULL,
                                "found %zu fields, expected %zu as in the "
                                "first line",
                                c.n, n);
        const tn_status status = read_record(m, &c, names, n);
        if (status != TN_OK) {
            tni_err_where(m->err, "line %lld", (long long)c.line);
            return status;
        }
    }
    return c.status;
}

static tn_status read_csv(metadata *m, const char *path)
{
    tni_span text = {NULL, 0};
    tni_arena arena;
    TN_TRY(tni_source_open(m->d, path, &m->source, &text, m->err));
    tni_arena_init(&arena, &m->d->mem, 1 << 12);
    const tn_status status = read_records(m, text, &arena);
    tni_arena_fini(&arena);
    if (status != TN_OK) tni_err_where(m->err, "%s", path);
    return status;
}

/* What of a path is below the folder that is read; "": nothing. */
static const char *below_root(const metadata *m, const char *folder)
{
    const char *root = m->r->path;
    const size_t n = strlen(root);
    if (!m->r->is_dir || strncmp(folder, root, n) != 0) return "";
    folder += n;
    while (*folder == '/') folder++;
    return folder;
}

static tn_status read_file(metadata *m, const char *folder, const char *path,
                           const char *named)
{
    m->split = TN_NONE;
    m->below = below_root(m, folder);
    m->unsplit = named != NULL && m->card.unsplit != NULL &&
                 strcmp(named, m->card.unsplit) == 0;
    m->named = m->unsplit ? NULL : named;
    m->top = m->r->images != NULL ? m->r->images : folder;
    m->renamed = false;
    if (m->named != NULL) {
        const char *split = card_split(m, "metadata.jsonl");
        m->renamed = split != NULL;
        if (split == NULL) split = named;
        TN_TRY(tni_add_split(m->d, split, strlen(split), &m->split, m->err));
    }
    size_t n = 0;
    if (m->renamed) {
        m->top = m->r->images != NULL ? m->r->images : m->r->path;
    } else if (m->r->images != NULL && named != NULL) {
        m->folders[n] = tni_join(m->r, m->r->images, named);
        if (m->folders[n++] == NULL) return no_memory(m->err);
    }
    m->folders[n++] = m->top;
    m->folders[n] = NULL;
    return tni_ends_with(path, ".csv") ? read_csv(m, path)
                                       : read_jsonl(m, path);
}

/* Images of a split's folder that its metadata does not name. */
static tn_status read_others(metadata *m, const char *folder)
{
    if ((m->named == NULL && !m->unsplit) || m->r->images != NULL) return TN_OK;
    return m->renamed ? tni_images_within(&m->images, m->r->path, m->below,
                                          m->split, m->err)
                      : tni_images_below(&m->images, folder, m->split, m->err);
}

/* The metadata of a folder, and images beside that it does not name. */
static tn_status read_folder(metadata *m, const char *folder, const char *named,
                             bool *found)
{
    static const char *const names[] = {"metadata.jsonl", "metadata.csv",
                                        "metadata.parquet"};
    bool fresh = false;
    for (size_t i = 0; i < 3; i++) {
        const char *path = tni_join(m->r, folder, names[i]);
        if (path == NULL) return no_memory(m->err);
        if (!tni_path_look(path).is_file) continue;
        if (i == 2) {
            tni_err_where(m->err, "%s", path);
            return tni_fail(m->err, TN_EUNSUPPORTED,
                            "Parquet is not read; save the metadata as "
                            "metadata.jsonl or metadata.csv");
        }
        if (tni_strmap_add(&m->read, folder, strlen(folder), &fresh) == NULL)
            return no_memory(m->err);
        TN_TRY(read_file(m, folder, path, named));
        *found = true;
        return read_others(m, folder);
    }
    return TN_OK;
}

/* Folders the card names that lie deeper than splits usually do. */
static tn_status read_card_folders(metadata *m, const char *root, bool *found)
{
    for (size_t i = 0; i < m->card.n_files; i++) {
        const char *pattern = m->card.files[i].pattern;
        size_t n = strcspn(pattern, "*?[");
        while (n > 0 && pattern[n - 1] != '/') n--;
        if (n < 2) continue;
        char *below = tni_join(m->r, root, pattern);
        if (below == NULL) return no_memory(m->err);
        below[strlen(root) + n] = '\0'; /* its last slash */
        const char *named = strrchr(below, '/') + 1;
        if (tni_strmap_find(&m->read, below, strlen(below)) == NULL)
            TN_TRY(read_folder(m, below, named, found));
    }
    return TN_OK;
}

static tn_status read_folders(metadata *m, const char *folder, bool top,
                              bool *found)
{
    const tni_dir_entry *e = NULL;
    size_t n = 0;
    bool below = false;
    TN_TRY(tni_list(m->r, folder, &e, &n, m->err));
    for (size_t i = 0; i < n; i++) {
        if (!e[i].is_dir || e[i].name[0] == '.') continue;
        const char *sub = tni_join(m->r, folder, e[i].name);
        if (sub == NULL) return no_memory(m->err);
        TN_TRY(read_folder(m, sub, e[i].name, &below));
        if (top && !below && strcmp(e[i].name, "data") == 0)
            TN_TRY(read_folders(m, sub, false, &below));
    }
    if (top) TN_TRY(read_card_folders(m, folder, &below));
    bool own = false;
    TN_TRY(read_folder(m, folder, NULL, &own));
    if (own && !below && m->d->n_splits == 0 && m->r->images == NULL)
        TN_TRY(tni_images_below(&m->images, folder, TN_NONE, m->err));
    *found = *found || own || below;
    return TN_OK;
}

static tn_status read_all(metadata *m)
{
    bool found = false;
    const char *folder =
        m->r->is_dir ? m->r->path : tni_folder_of(m->r, m->r->path);
    if (folder == NULL) return no_memory(m->err);
    TN_TRY(tni_hf_read_card(m->r, folder, &m->card, m->err));
    if (!m->r->is_dir) return read_file(m, folder, m->r->path, NULL);
    TN_TRY(read_folders(m, folder, true, &found));
    if (found) return TN_OK;
    return tni_fail(m->err, TN_ENOTFOUND,
                    "the folder has no metadata; expected metadata.jsonl or "
                    "metadata.csv with file_name in it, or <split>/ with one");
}

tn_status tni_hf_read(tni_reader *r, tn_err *err)
{
    metadata *m = TNI_NEW(&r->scratch, metadata);
    if (m == NULL) return no_memory(err);
    m->r = r;
    m->d = r->d;
    m->err = err;
    m->draft = tni_draft_new(&r->scratch, err);
    if (m->draft == NULL) return TN_ENOMEM;
    const bool corners = r->variant != NULL && strcmp(r->variant, "xyxy") == 0;
    m->form = corners ? TN_BOX_XYXY : TN_BOX_XYWH;
    r->d->variant = corners ? "xyxy" : "xywh";
    tni_classes_init(&m->classes, r);
    tni_image_set_init(&m->images, r);
    tni_strmap_init(&m->read, &r->scratch);
    TN_TRY(read_all(m));
    if (r->variant == NULL && m->outside * 100 > m->boxes && m->crossed == 0)
        TN_TRY(tni_note_add(m->d, m->first_outside, "hf-bbox", err,
                            "read as left, top, width and height, %llu boxes "
                            "leave their image; as corners none has its edges "
                            "in the wrong order: if they are corners, choose "
                            "the variant 'xyxy'",
                            (unsigned long long)m->outside));
    return tni_classes_sort(&m->classes, err);
}
