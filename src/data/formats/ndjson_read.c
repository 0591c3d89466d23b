/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson_read.c - Ultralytics NDJSON into the dataset */
#include "data/formats/ndjson.h"

enum { MAX_POINTS = 65536, MAX_CLASS = 1 << 24 };

typedef struct nd {
    tni_reader *r;
    tn_dataset *d;
    tn_err *err;
    tni_jsonfile f;     /* j is of the line at hand */
    const char *folder; /* of the file */
    const char *base;   /* of the images, NULL: the file does not say */
    const char **folders[TNI_MAX_SPLITS + 1]; /* by split, the last of none */
    tni_draft *draft;
    uint32_t n_kpts, dims;
    int line;
    bool begun; /* the dataset's record was met */
} nd;

static tn_status no_memory(tn_err *err)
{
    return tni_fail(err, TN_ENOMEM,
                    "out of memory, or over the dataset's memory limit");
}

static bool is(tni_span key, const char *name)
{
    return tni_span_is(key, name);
}

/* --- the dataset's record ------------------------------------------------------------ */

/* Numbers that do not count from 0 in order are ids of their classes. */
static tn_status add_class(nd *n, const char *name, int64_t number,
                           const char *at)
{
    tni_class_row row;
    uint32_t cls = 0;
    memset(&row, 0, sizeof row);
    row.name = name;
    row.where = tni_jsonfile_where(&n->f, at);
    if (number != (int64_t)n->d->classes.n) {
        row.id_kind = TN_ID_INT;
        row.id = number;
    }
    return tni_add_class(n->d, &row, &cls, n->err);
}

static tn_status read_names(nd *n, tni_json *j)
{
    const bool list = tni_json_peek(j) == '[';
    tni_span key;
    int64_t number = 0;
    if (!tni_json_enter(j, list ? '[' : '{')) return j->status;
    while (list ? tni_json_item(j) : tni_json_key(j, &key)) {
        const char *name = NULL;
        (void)tni_json_peek(j);
        const char *at = j->p;
        if (!list && (!tni_field_i64(key, &number) || number < 0 ||
                      number > MAX_CLASS)) {
            (void)tni_json_fail(j, key.p, "'%.*s' is not the number of a class",
                                key.len > 40 ? 40 : (int)key.len, key.p);
            break;
        }
        TN_TRY(tni_jsonfile_text(&n->f, j, &name));
        TN_TRY(add_class(n, name, number, at));
        number++;
    }
    return j->status;
}

static tn_status read_kpt_shape(nd *n, tni_json *j)
{
    double v[2] = {0, 0};
    size_t k = 0;
    (void)tni_json_peek(j);
    const char *at = j->p;
    if (!tni_json_vector(j, v, 2, &k)) return j->status;
    if (k != 2 || !(v[0] >= 1 && v[0] <= MAX_POINTS) ||
        v[0] != (double)(uint32_t)v[0] || (v[1] != 2.0 && v[1] != 3.0))
        (void)tni_json_fail(j, at,
                            "kpt_shape is not how many keypoints there are "
                            "and 2 or 3, the numbers of each");
    n->n_kpts = (uint32_t)v[0];
    n->dims = (uint32_t)v[1];
    return j->status;
}

/* Where images lie beside the file; what leaves its folder is not followed. */
static tn_status read_path(nd *n, tni_json *j, bool *taken)
{
    const char *path = NULL;
    TN_TRY(tni_jsonfile_text(&n->f, j, &path));
    *taken = path[0] != '/' && path[0] != '\\' && strstr(path, "..") == NULL;
    if (!*taken) return TN_OK;
    n->base = strcmp(path, ".") == 0 || path[0] == '\0'
                  ? n->folder
                  : tni_join(n->r, n->folder, path);
    return n->base != NULL ? TN_OK : no_memory(n->err);
}

static tn_status keep_meta(nd *n, tni_span key, tni_span raw)
{
    const char *plain = tni_json_unescape(&n->r->scratch, key, NULL);
    char *name = NULL;
    if (tni_json_is_empty(raw)) return TN_OK;
    if (plain != NULL)
        name = tni_arena_alloc(&n->d->arena, strlen(plain) + sizeof TNI_ND_META,
                               1);
    if (name == NULL) return no_memory(n->err);
    memcpy(name, TNI_ND_META, sizeof TNI_ND_META - 1);
    memcpy(name + sizeof TNI_ND_META - 1, plain, strlen(plain) + 1);
    const tni_meta meta = {name, raw, TN_NONE,
                           tni_jsonfile_where(&n->f, key.p)};
    return tni_add_meta(n->d, &meta, n->err);
}

static tn_status read_dataset(nd *n, tni_json *j)
{
    tni_span key, raw;
    if (n->begun || n->d->images.n > 0) {
        (void)tni_json_fail(j, j->p,
                            n->begun ? "a second record of the dataset"
                                     : "the dataset's record is not the first");
        return j->status;
    }
    n->begun = true;
    if (!tni_json_enter(j, '{')) return j->status;
    while (tni_json_key(j, &key)) {
        const char kind = tni_json_peek(j);
        bool taken = true;
        tni_json again = *j;
        if ((is(key, "class_names") || is(key, "names")) &&
            (kind == '{' || kind == '[') && n->d->classes.n == 0)
            TN_TRY(read_names(n, j));
        else if (is(key, "kpt_shape") && kind == '[')
            TN_TRY(read_kpt_shape(n, j));
        else if (is(key, "path") && kind == '"')
            TN_TRY(read_path(n, j, &taken));
        else if (is(key, "type") || is(key, "task"))
            (void)!tni_json_skip(j, NULL);
        else
            taken = !tni_json_skip(j, NULL);
        if (!taken && tni_json_skip(&again, &raw))
            TN_TRY(keep_meta(n, key, raw));
    }
    return j->status;
}

/* --- rows --------------------------------------------------------------------------- */

/* A row of an image's annotations: the number of a class and what follows, of
 * which a shape may be. */
typedef struct numbers {
    const char *at, *second, *sixth, *end;
    double first[6]; /* numbers behind the class */
    int64_t cls;
    size_t n; /* of them */
} numbers;

static tn_status read_row(tni_json *j, numbers *r)
{
    double v = 0.0;
    memset(r, 0, sizeof *r);
    r->cls = -1;
    (void)tni_json_peek(j);
    r->at = j->p;
    if (!tni_json_enter(j, '[')) return j->status;
    for (size_t k = 0; tni_json_item(j); k++) {
        (void)tni_json_peek(j);
        const char *at = j->p;
        if (!tni_json_f64(j, &v)) return j->status;
        if (k == 0) {
            if (!(v >= 0.0 && v <= MAX_CLASS) || v != (double)(int64_t)v) {
                (void)tni_json_fail(j, at, "%g is not the number of a class",
                                    v);
                return j->status;
            }
            r->cls = (int64_t)v;
            continue;
        }
        if (k == 1) r->second = at;
        if (k == 5) r->sixth = at;
        if (k <= 6) r->first[k - 1] = v;
        r->end = j->p;
        r->n = k;
    }
    if (j->status == TN_OK && r->cls < 0)
        (void)tni_json_fail(j, r->at, "a row is empty");
    return j->status;
}

static tn_status find_class(nd *n, int64_t number, uint64_t where,
                            uint32_t *cls)
{
    const tn_dataset *d = n->d;
    char text[24];
    int at = (int)sizeof text;
    int64_t v = number;
    if (number < (int64_t)d->classes.n &&
        tni_class_at(d, (uint32_t)number)->id_kind == TN_ID_NONE) {
        *cls = (uint32_t)number;
        return TN_OK;
    }
    for (uint32_t i = 0; i < d->classes.n; i++) {
        const tni_class_row *c = tni_class_at(d, i);
        if (c->id_kind != TN_ID_INT || c->id != number) continue;
        *cls = i;
        return TN_OK;
    }
    do text[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (d->classes.n == MAX_POINTS)
        return tni_fail(n->err, TN_ELIMIT, "over %d classes without a name",
                        (int)MAX_POINTS);
    tni_class_row c;
    memset(&c, 0, sizeof c);
    c.name = tni_keep(n->d, text + at, sizeof text - (size_t)at);
    c.id_kind = TN_ID_INT;
    c.id = number;
    c.where = where;
    if (c.name == NULL) return no_memory(n->err);
    TN_TRY(tni_note_add(n->d, where, "class-out-of-range", n->err,
                        "class %lld has no name", (long long)number));
    return tni_add_class(n->d, &c, cls, n->err);
}

static tn_status set_shape(nd *n, uint32_t ann, const char *from,
                           const char *to, tn_shape_kind kind, uint32_t dims)
{
    tni_shape s;
    memset(&s, 0, sizeof s);
    if ((size_t)(to - from) > UINT32_MAX)
        return tni_fail(n->err, TN_ELIMIT, "a shape of over 4 GiB");
    s.text = from;
    s.len = (uint32_t)(to - from);
    s.kind = (uint8_t)kind;
    s.scale = TN_SCALE_UNIT;
    s.dims = (uint8_t)dims;
    return dims != 0 ? tni_set_keypoints(n->d, ann, &s, n->err)
                     : tni_set_shape(n->d, ann, &s, n->err);
}

/* How many numbers each keypoint of a row has: as the file says, else three
 * where they can be. */
static uint32_t dims_of(const nd *n, size_t k)
{
    if (n->dims != 0) return k == (size_t)n->n_kpts * n->dims ? n->dims : 0;
    return k > 0 && k % 3 == 0 ? 3 : k > 0 && k % 2 == 0 ? 2 : 0;
}

static const char *expected(tni_nd_task task)
{
    static const char *const texts[TNI_ND_TASKS] = {
        "",
        "a class, centre x, centre y, width and height",
        "a class and at least three points, or a box",
        "a class, a box and the keypoints of kpt_shape",
        "a class and four corners",
        "a class"};
    return texts[task];
}

static tn_status add_row(nd *n, tni_json *j, const numbers *r, tni_nd_task task,
                         uint32_t image)
{
    tni_ann a;
    uint32_t ann = 0;
    memset(&a, 0, sizeof a);
    a.image = image;
    a.where = tni_jsonfile_where(&n->f, r->at);
    const uint32_t dims =
        task == TNI_ND_POSE && r->n > 4 ? dims_of(n, r->n - 4) : 0;
    const bool box = r->n == 4 && task != TNI_ND_OBB && task != TNI_ND_CLASSIFY;
    const bool scored = r->n == 5 && task == TNI_ND_DETECT;
    const bool fits = task == TNI_ND_CLASSIFY ? r->n == 0
                      : task == TNI_ND_OBB    ? r->n == 8
                      : task == TNI_ND_SEGMENT
                          ? box || (r->n >= 6 && r->n % 2 == 0)
                      : task == TNI_ND_POSE ? box || dims > 0
                                            : box || scored;
    if (!fits) {
        (void)tni_json_fail(j, r->at, "a row of %zu numbers, expected %s",
                            r->n + 1, expected(task));
        return j->status;
    }
    TN_TRY(find_class(n, r->cls, a.where, &a.class_index));
    if (box || scored || task == TNI_ND_POSE) {
        a.flags |= TN_HAS_BOX | TNI_FORM(TN_BOX_CXCYWH);
        memcpy(a.box, r->first, sizeof a.box);
    }
    a.flags |= TNI_SCALE(TN_SCALE_UNIT);
    if (task == TNI_ND_CLASSIFY) a.flags = TN_IS_TAG;
    for (size_t k = 0; k < r->n && k < 4; k++)
        if (r->first[k] > 1.01 || r->first[k] < -0.01) {
            TN_TRY(tni_note_add(n->d, a.where, "out-of-range", n->err,
                                "a coordinate is %g, expected 0 to 1",
                                r->first[k]));
            break;
        }
    TN_TRY(tni_add_annotation(n->d, &a, &ann, n->err));
    if (scored)
        return tni_set_num(n->d, ann, TN_NUM_SCORE, r->first[4], n->err);
    if (dims > 0)
        return set_shape(n, ann, r->sixth, r->end, TN_SHAPE_POINTS, dims);
    if (box || task == TNI_ND_CLASSIFY) return TN_OK;
    return set_shape(n, ann, r->second, r->end,
                     task == TNI_ND_OBB ? TN_SHAPE_QUAD : TN_SHAPE_POLYGON, 0);
}

static tn_status read_rows(nd *n, tni_json *j, tni_nd_task task, uint32_t image)
{
    numbers r;
    if (!tni_json_enter(j, '[')) return j->status;
    while (tni_json_item(j)) {
        if (task == TNI_ND_CLASSIFY && tni_json_peek(j) == '0') {
            double v = 0.0;
            memset(&r, 0, sizeof r);
            r.at = j->p;
            if (!tni_json_f64(j, &v)) break;
            if (!(v >= 0.0 && v <= MAX_CLASS) || v != (double)(int64_t)v) {
                (void)tni_json_fail(j, r.at, "%g is not the number of a class",
                                    v);
                break;
            }
            r.cls = (int64_t)v;
        } else {
            TN_TRY(read_row(j, &r));
        }
        TN_TRY(add_row(n, j, &r, task, image));
    }
    return j->status;
}

static tni_nd_task task_of(tni_span key)
{
    if (is(key, "bboxes")) return TNI_ND_DETECT;
    for (int t = 1; t < TNI_ND_TASKS; t++)
        if (is(key, tni_nd_names[t].key)) return (tni_nd_task)t;
    return TNI_ND_NONE;
}

/* --- an image ------------------------------------------------------------------------ */

/* Members of `annotations` that are of no task, as "annotations": {…}. */
static tn_status read_annotations(nd *n, tni_span text, uint32_t image)
{
    tni_json j = tni_jsonfile_at(&n->f, text);
    tni_span key, raw;
    int n_tasks = 0;
    bool any = false;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key)) {
        const tni_nd_task task = task_of(key);
        if (task != TNI_ND_NONE && tni_json_peek(&j) == '[') {
            const uint32_t before = n->d->anns.n;
            TN_TRY(read_rows(n, &j, task, image));
            n_tasks += n->d->anns.n > before;
            continue;
        }
        if (!tni_json_skip(&j, &raw)) break;
        if (tni_json_is_empty(raw)) continue;
        const tni_span member = tni_json_whole(key, raw);
        if (!any) (void)tni_draft_begin(n->draft);
        tni_out_str(&n->draft->out, any ? ", " : "\"annotations\": {");
        tni_out_bytes(&n->draft->out, member.p, member.len);
        any = true;
    }
    TN_TRY(j.status);
    if (n_tasks > 1)
        TN_TRY(tni_note_add(n->d, tni_jsonfile_where(&n->f, text.p),
                            "several-tasks", n->err,
                            "an image has annotations of %d tasks, of which "
                            "Ultralytics takes the first",
                            n_tasks));
    if (!any) return TN_OK;
    tni_out_str(&n->draft->out, "}");
    TN_TRY(tni_draft_keep(n->draft, n->d, &raw));
    return tni_set_image_text(n->d, image, TN_TEXT_EXTRA, raw, n->err);
}

/* Where the images of a split may lie. */
static tn_status find_folders(nd *n, const char *split, const char ***out)
{
    const char *base = n->r->images != NULL ? n->r->images
                       : n->base != NULL    ? n->base
                                            : n->folder;
    const char *images =
        n->r->images != NULL ? base : tni_join(n->r, base, "images");
    const char **list = TNI_NEW_ARRAY(&n->r->scratch, const char *, 5);
    int k = 0;
    if (list == NULL || images == NULL) return no_memory(n->err);
    if (split != NULL) list[k++] = tni_join(n->r, images, split);
    list[k++] = images;
    if (split != NULL) list[k++] = tni_join(n->r, base, split);
    list[k++] = base;
    list[k] = NULL;
    for (int i = 0; i < k; i++)
        if (list[i] == NULL) return no_memory(n->err);
    *out = list;
    return TN_OK;
}

static tn_status find_file(nd *n, uint32_t image, uint32_t split)
{
    const char ***list =
        &n->folders[split != TN_NONE ? split : (uint32_t)TNI_MAX_SPLITS];
    /* A split's name that leaves the folder is not followed. */
    const char *name = split != TN_NONE ? n->d->splits[split] : NULL;
    if (name != NULL && (strpbrk(name, "/\\") != NULL || name[0] == '.'))
        name = NULL;
    if (*list == NULL) TN_TRY(find_folders(n, name, list));
    return tni_find_image(n->r, image, *list, n->err);
}

static tn_status keep_members(nd *n, tni_json j, uint32_t image)
{
    static const char *const ours[] = {"type",   "file",  "width",
                                       "height", "split", "annotations"};
    tni_span key, raw;
    if (!tni_json_enter(&j, '{')) return j.status;
    while (tni_json_key(&j, &key) && tni_json_skip(&j, &raw)) {
        bool known = false;
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            known = known || is(key, ours[i]);
        if (!known && !tni_json_is_empty(raw))
            TN_TRY(tni_set_image_text(n->d, image, TN_TEXT_EXTRA,
                                      tni_json_whole(key, raw), n->err));
    }
    return j.status;
}

static tn_status read_image(nd *n, tni_json *j)
{
    tni_image_row row;
    tni_span key, annotations = {NULL, 0};
    const char *split = NULL;
    uint32_t image = 0, index = 0;
    const tni_json begin = *j;
    memset(&row, 0, sizeof row);
    row.where = tni_jsonfile_where(&n->f, j->p);
    if (tni_json_enter(j, '{'))
        while (tni_json_key(j, &key)) {
            const char kind = tni_json_peek(j);
            if (is(key, "file") && kind == '"')
                TN_TRY(tni_jsonfile_text(&n->f, j, &row.name));
            else if (is(key, "split") && kind == '"')
                TN_TRY(tni_jsonfile_text(&n->f, j, &split));
            else if (is(key, "width"))
                TN_TRY(tni_jsonfile_size(&n->f, j, &row.width));
            else if (is(key, "height"))
                TN_TRY(tni_jsonfile_size(&n->f, j, &row.height));
            else if (is(key, "annotations") && kind == '{')
                (void)!tni_json_skip(j, &annotations);
            else
                (void)!tni_json_skip(j, NULL);
        }
    TN_TRY(j->status);
    if (row.name == NULL || row.name[0] == '\0') {
        (void)tni_json_fail(j, begin.p, "an image has no 'file'");
        return j->status;
    }
    if (split != NULL && split[0] != '\0') {
        TN_TRY(tni_add_split(n->d, split, strlen(split), &index, n->err));
        row.splits = UINT64_C(1) << index;
    }
    if (annotations.p != NULL) row.state = TN_STATE_EMPTY;
    TN_TRY(tni_add_image(n->d, &row, &image, n->err));
    TN_TRY(find_file(n, image, row.splits != 0 ? index : TN_NONE));
    TN_TRY(keep_members(n, begin, image));
    return annotations.p != NULL ? read_annotations(n, annotations, image)
                                 : TN_OK;
}

/* --- lines --------------------------------------------------------------------------- */

static tn_status read_line(nd *n, tni_span line)
{
    tni_span type = {NULL, 0}, whole = {NULL, 0};
    tni_json *j = &n->f.j;
    const char *const end = j->end;
    j->p = line.p;
    j->end = line.p + line.len;
    j->depth = 0;
    j->fresh = false;
    if (tni_json_peek(j) != '{') {
        (void)tni_json_fail(j, j->p, "a line is no object");
        return j->status;
    }
    tni_json check = *j;
    if (!tni_json_skip(&check, &whole) || !tni_json_end(&check))
        return check.status;
    const bool typed = tni_json_member(whole, "type", &type);
    tn_status status = TN_OK;
    if (typed && tni_span_is(type, "\"dataset\""))
        status = read_dataset(n, j);
    else if (!typed || tni_span_is(type, "\"image\""))
        status = read_image(n, j);
    else
        status = tni_note_add(n->d, tni_jsonfile_where(&n->f, line.p),
                              "other-record", n->err,
                              "a record of type %.*s is left out",
                              type.len > 40 ? 40 : (int)type.len, type.p);
    j->end = end;
    return status;
}

static tn_status read_lines(nd *n)
{
    const tni_span text = {n->f.j.start, (size_t)(n->f.j.end - n->f.j.start)};
    tni_lines lines;
    tni_span line;
    tni_lines_init(&lines, text);
    while (tni_lines_next(&lines, &line)) {
        line = tni_trim(line);
        n->line = lines.number;
        if (line.len == 0) continue;
        TN_TRY(read_line(n, line));
        TN_TRY(tni_reader_progress(n->r, (uint64_t)(line.p - text.p), text.len,
                                   n->err));
    }
    if (n->begun || n->d->images.n > 0) return TN_OK;
    return tni_fail(n->err, TN_EFORMAT,
                    "the file has no records; expected a line of type "
                    "'dataset' and one of type 'image' for every image");
}

/* All classes have as many points as the file says. */
static void settle(nd *n)
{
    for (uint32_t i = 0; n->n_kpts > 0 && i < n->d->classes.n; i++)
        if (tni_class_at(n->d, i)->n_keypoints == 0)
            tni_class_at(n->d, i)->n_keypoints = n->n_kpts;
}

static tn_status read_file(nd *n, const char *path)
{
    n->folder = tni_folder_of(n->r, path);
    if (n->folder == NULL) return no_memory(n->err);
    TN_TRY(tni_jsonfile_open(&n->f, n->r, path, n->err));
    const tn_status status = read_lines(n);
    if (status != TN_OK) {
        if (n->err != NULL) n->err->line = n->line;
        tni_err_where(n->err, "%s", path);
    }
    settle(n);
    return status;
}

tn_status tni_nd_read(tni_reader *r, tn_err *err)
{
    const tni_dir_entry *e = NULL;
    size_t n_entries = 0;
    const char *path = r->path;
    nd n;
    memset(&n, 0, sizeof n);
    n.r = r;
    n.d = r->d;
    n.err = err;
    n.draft = tni_draft_new(&r->scratch, err);
    if (n.draft == NULL) return TN_ENOMEM;
    if (!r->is_dir) return read_file(&n, path);
    TN_TRY(tni_list(r, r->path, &e, &n_entries, err));
    path = NULL;
    for (size_t i = 0; i < n_entries; i++) {
        if (e[i].is_dir || !tni_ends_with(e[i].name, ".ndjson") ||
            strcmp(e[i].name, "residue.ndjson") == 0)
            continue;
        if (path != NULL)
            return tni_fail(err, TN_EINVAL,
                            "the folder has several .ndjson files; name one");
        path = tni_join(r, r->path, e[i].name);
        if (path == NULL) return no_memory(err);
    }
    if (path == NULL)
        return tni_fail(err, TN_ENOTFOUND, "the folder has no *.ndjson file");
    return read_file(&n, path);
}
