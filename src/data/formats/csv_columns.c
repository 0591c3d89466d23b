/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_columns.c - CSV manifests: what the columns of a table mean
 *
 * By their names, compared by letters and digits alone ("X_Min", "xmin"). A
 * table without a header is known by its shape: path, four numbers, class
 * (keras-retinanet); set, path, label, corners (AutoML); path, class.
 */
#include "data/formats/csv_table.h"

enum { MAX_NAME = 48 };

/* --- names --------------------------------------------------------------- */

/* Names of box edges have kinds of their own until all columns are known. */
typedef enum part {
    PART_LEFT = TNI_COL_COUNT,
    PART_TOP,
    PART_RIGHT,
    PART_BOTTOM,
    PART_X,
    PART_Y,
    PART_CX,
    PART_CY,
    PART_W,
    PART_H,
    PART_X0, /* x0, y0, x1, y1 against x1, y1, x2, y2 */
    PART_Y0,
    PART_X1,
    PART_Y1,
    PART_X2,
    PART_Y2,
    PART_WIDTH, /* of the image or of the box */
    PART_HEIGHT,
    PART_NAME, /* of the class beside a file name, else of the image */
    PART_ID,
    PART_END
} part;

static const struct {
    const char *name;
    int part;
} words[] = {
    {"filename", TNI_COL_IMAGE},
    {"file", TNI_COL_IMAGE},
    {"filepath", TNI_COL_IMAGE},
    {"imagefilename", TNI_COL_IMAGE},
    {"imagefile", TNI_COL_IMAGE},
    {"imagefilepath", TNI_COL_IMAGE},
    {"image", TNI_COL_IMAGE},
    {"imageid", TNI_COL_IMAGE},
    {"imagename", TNI_COL_IMAGE},
    {"imagepath", TNI_COL_IMAGE},
    {"img", TNI_COL_IMAGE},
    {"imgname", TNI_COL_IMAGE},
    {"imgid", TNI_COL_IMAGE},
    {"imgpath", TNI_COL_IMAGE},
    {"imgfile", TNI_COL_IMAGE},
    {"path", TNI_COL_IMAGE},
    {"fname", TNI_COL_IMAGE},
    {"frame", TNI_COL_IMAGE},
    {"class", TNI_COL_CLASS},
    {"classname", TNI_COL_CLASS},
    {"classlabel", TNI_COL_CLASS},
    {"label", TNI_COL_CLASS},
    {"labels", TNI_COL_CLASS},
    {"labelname", TNI_COL_CLASS},
    {"category", TNI_COL_CLASS},
    {"categoryname", TNI_COL_CLASS},
    {"objectclass", TNI_COL_CLASS},
    {"object", TNI_COL_CLASS},
    {"target", TNI_COL_CLASS},
    {"classid", TNI_COL_CLASS},
    {"categoryid", TNI_COL_CLASS},
    {"labelid", TNI_COL_CLASS},
    {"breed", TNI_COL_CLASS},
    {"species", TNI_COL_CLASS},
    {"imagewidth", TNI_COL_WIDTH},
    {"imgwidth", TNI_COL_WIDTH},
    {"imagew", TNI_COL_WIDTH},
    {"imageheight", TNI_COL_HEIGHT},
    {"imgheight", TNI_COL_HEIGHT},
    {"imageh", TNI_COL_HEIGHT},
    {"width", PART_WIDTH},
    {"height", PART_HEIGHT},
    {"bbox", TNI_COL_BBOX},
    {"boundingbox", TNI_COL_BBOX},
    {"box", TNI_COL_BBOX},
    {"score", TNI_COL_SCORE},
    {"confidence", TNI_COL_SCORE},
    {"conf", TNI_COL_SCORE},
    {"probability", TNI_COL_SCORE},
    {"split", TNI_COL_SPLIT},
    {"subset", TNI_COL_SPLIT},
    {"dataset", TNI_COL_SPLIT},
    {"set", TNI_COL_SPLIT},
    {"xmin", PART_LEFT},
    {"minx", PART_LEFT},
    {"left", PART_LEFT},
    {"xleft", PART_LEFT},
    {"xtl", PART_LEFT},
    {"ymin", PART_TOP},
    {"miny", PART_TOP},
    {"top", PART_TOP},
    {"ytop", PART_TOP},
    {"ytl", PART_TOP},
    {"xmax", PART_RIGHT},
    {"maxx", PART_RIGHT},
    {"right", PART_RIGHT},
    {"xright", PART_RIGHT},
    {"xbr", PART_RIGHT},
    {"ymax", PART_BOTTOM},
    {"maxy", PART_BOTTOM},
    {"bottom", PART_BOTTOM},
    {"ybottom", PART_BOTTOM},
    {"ybr", PART_BOTTOM},
    {"x", PART_X},
    {"topleftx", PART_X},
    {"y", PART_Y},
    {"toplefty", PART_Y},
    {"xcenter", PART_CX},
    {"xcentre", PART_CX},
    {"centerx", PART_CX},
    {"centrex", PART_CX},
    {"cx", PART_CX},
    {"xc", PART_CX},
    {"ycenter", PART_CY},
    {"ycentre", PART_CY},
    {"centery", PART_CY},
    {"centrey", PART_CY},
    {"cy", PART_CY},
    {"yc", PART_CY},
    {"w", PART_W},
    {"boxwidth", PART_W},
    {"boxw", PART_W},
    {"bw", PART_W},
    {"h", PART_H},
    {"boxheight", PART_H},
    {"boxh", PART_H},
    {"bh", PART_H},
    {"x0", PART_X0},
    {"y0", PART_Y0},
    {"x1", PART_X1},
    {"y1", PART_Y1},
    {"x2", PART_X2},
    {"y2", PART_Y2},
    {"name", PART_NAME},
    {"id", PART_ID},
};

/* Letters and digits in small letters; empty when it is too long to be one. */
static void plain(char out[MAX_NAME], const char *name)
{
    size_t n = 0;
    for (const char *p = name; *p != '\0'; p++) {
        char c = *p;
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) continue;
        if (n + 1 == MAX_NAME) {
            n = 0;
            break;
        }
        out[n++] = c;
    }
    out[n] = '\0';
}

/* Takes a word off the end or the start; whether it was there. */
static bool take_off(char *name, const char *word, bool front)
{
    const size_t n = strlen(name), m = strlen(word);
    if (n <= m) return false;
    if (front && strncmp(name, word, m) == 0) {
        memmove(name, name + m, n - m + 1);
        return true;
    }
    if (front || strcmp(name + n - m, word) != 0) return false;
    name[n - m] = '\0';
    return true;
}

static int find_word(const char *name)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].name, name) == 0) return words[i].part;
    return TNI_COL_EXTRA;
}

static bool is_edge(int p)
{
    return p >= PART_LEFT && p <= PART_HEIGHT;
}

/* *unit: the name says that 1 is the image's side. */
static int part_of(const char *name, bool *unit)
{
    char p[MAX_NAME];
    plain(p, name);
    *unit = false;
    int found = find_word(p);
    if (found != TNI_COL_EXTRA) return found;
    static const char *const units[] = {"normalized", "normalised", "norm",
                                        "relative", "rel"};
    for (size_t i = 0; i < sizeof units / sizeof units[0] && !*unit; i++)
        *unit = take_off(p, units[i], false) || take_off(p, units[i], true);
    const bool boxed = take_off(p, "bbox", true) ||
                       take_off(p, "boundingbox", true) ||
                       take_off(p, "box", true) || take_off(p, "bndbox", true);
    found = find_word(p);
    if (!is_edge(found)) return TNI_COL_EXTRA;
    if (boxed && found == PART_WIDTH) return PART_W;
    if (boxed && found == PART_HEIGHT) return PART_H;
    return found;
}

bool tni_table_has_role(const char *name)
{
    bool unit = false;
    return part_of(name, &unit) != TNI_COL_EXTRA;
}

/* --- headers ------------------------------------------------------------- */

/* What four numbers are when nothing names them. */
static const uint32_t open_meanings =
    TNI_MEANS(TN_BOX_XYXY, 0) | TNI_MEANS(TN_BOX_XYXY, 1) |
    TNI_MEANS(TN_BOX_XYWH, 0) | TNI_MEANS(TN_BOX_XYWH, 1);

/* The column of a part, the first; -1: none. */
static int32_t column_of(const int *parts, size_t n, int wanted)
{
    for (size_t i = 0; i < n; i++)
        if (parts[i] == wanted) return (int32_t)i;
    return -1;
}

static bool take_box(tni_table *t, const int *parts, const int four[4],
                     tn_box_form form, bool unit)
{
    int32_t at[4];
    for (int k = 0; k < 4; k++) {
        at[k] = column_of(parts, t->n_columns, four[k]);
        if (at[k] < 0) return false;
    }
    for (int k = 0; k < 4; k++) t->at[TNI_COL_BOX0 + k] = at[k];
    t->meanings = TNI_MEANS(form, 1) | (unit ? 0u : TNI_MEANS(form, 0));
    return true;
}

static void find_box(tni_table *t, const int *parts, bool unit)
{
    static const struct {
        int four[4];
        tn_box_form form;
    } shapes[] = {
        {{PART_LEFT, PART_TOP, PART_RIGHT, PART_BOTTOM}, TN_BOX_XYXY},
        {{PART_X0, PART_Y0, PART_X1, PART_Y1}, TN_BOX_XYXY},
        {{PART_X1, PART_Y1, PART_X2, PART_Y2}, TN_BOX_XYXY},
        {{PART_CX, PART_CY, PART_W, PART_H}, TN_BOX_CXCYWH},
        {{PART_X, PART_Y, PART_W, PART_H}, TN_BOX_XYWH},
        {{PART_LEFT, PART_TOP, PART_W, PART_H}, TN_BOX_XYWH},
        {{PART_X1, PART_Y1, PART_W, PART_H}, TN_BOX_XYWH},
        {{PART_CX, PART_CY, PART_WIDTH, PART_HEIGHT}, TN_BOX_CXCYWH},
        {{PART_X, PART_Y, PART_WIDTH, PART_HEIGHT}, TN_BOX_XYWH},
        {{PART_LEFT, PART_TOP, PART_WIDTH, PART_HEIGHT}, TN_BOX_XYWH},
        {{PART_X1, PART_Y1, PART_WIDTH, PART_HEIGHT}, TN_BOX_XYWH},
    };
    t->at[TNI_COL_BBOX] = column_of(parts, t->n_columns, TNI_COL_BBOX);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (take_box(t, parts, shapes[i].four, shapes[i].form, unit)) {
            t->at[TNI_COL_BBOX] = -1;
            return;
        }
    if (t->at[TNI_COL_BBOX] >= 0) t->meanings = open_meanings;
}

static bool uses(const tni_table *t, int32_t column)
{
    for (int k = 0; k < TNI_COL_COUNT; k++)
        if (t->at[k] == column) return true;
    return false;
}

/* Class names before class numbers. */
static int32_t class_column(const tni_table *t, const int *parts)
{
    int32_t number = -1;
    for (size_t i = 0; i < t->n_columns; i++) {
        char p[MAX_NAME];
        if (parts[i] != TNI_COL_CLASS) continue;
        plain(p, t->names[i]);
        const size_t n = strlen(p);
        if (n < 3 || strcmp(p + n - 2, "id") != 0) return (int32_t)i;
        if (number < 0) number = (int32_t)i;
    }
    return number;
}

static bool read_header(tni_table *t, tni_arena *arena)
{
    bool unit = false, any_unit = false;
    int *parts = TNI_NEW_ARRAY(arena, int, t->n_columns);
    if (parts == NULL) return false;
    for (size_t i = 0; i < t->n_columns; i++) {
        parts[i] = part_of(t->names[i], &unit);
        any_unit = any_unit || (unit && is_edge(parts[i]));
    }
    t->at[TNI_COL_IMAGE] = column_of(parts, t->n_columns, TNI_COL_IMAGE);
    t->at[TNI_COL_CLASS] = class_column(t, parts);
    const int32_t name = column_of(parts, t->n_columns, PART_NAME);
    if (t->at[TNI_COL_IMAGE] < 0)
        t->at[TNI_COL_IMAGE] = name;
    else if (t->at[TNI_COL_CLASS] < 0)
        t->at[TNI_COL_CLASS] = name;
    if (t->at[TNI_COL_IMAGE] < 0 && parts[0] == PART_ID)
        t->at[TNI_COL_IMAGE] = 0;
    static const tni_col_role rest[] = {TNI_COL_SCORE, TNI_COL_SPLIT,
                                        TNI_COL_WIDTH, TNI_COL_HEIGHT};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        t->at[rest[i]] = column_of(parts, t->n_columns, (int)rest[i]);
    find_box(t, parts, any_unit);
    /* "width" is the box's only where the box needs it. */
    for (int k = 0; k < 2; k++) {
        const int32_t c = column_of(parts, t->n_columns, PART_WIDTH + k);
        if (c >= 0 && t->at[TNI_COL_WIDTH + k] < 0 && !uses(t, c))
            t->at[TNI_COL_WIDTH + k] = c;
    }
    for (int k = 1; k < TNI_COL_COUNT; k++)
        if (t->at[k] >= 0) t->roles[t->at[k]] = (uint8_t)k;
    if (t->at[TNI_COL_IMAGE] < 0) return true;
    t->header = true;
    if (t->at[TNI_COL_CLASS] >= 0 || t->meanings != 0) t->kind = TNI_TABLE_ROWS;
    return true;
}

/* --- shapes without a header ------------------------------------------------ */

static bool is_set(tni_span t)
{
    static const char *const names[] = {"train", "validation", "validate",
                                        "test",  "unassigned", "training",
                                        "val"};
    char p[MAX_NAME];
    if (t.len >= sizeof p) return false;
    memcpy(p, t.p, t.len);
    p[t.len] = '\0';
    for (char *c = p; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(p, names[i]) == 0) return true;
    return t.len == 0;
}

static bool is_path(tni_span t, tni_arena *arena)
{
    const tni_arena_mark mark = tni_arena_save(arena);
    const char *text = tni_arena_strndup(arena, t.p, t.len);
    const bool yes = text != NULL && (tni_is_image_name(text) ||
                                      strncmp(text, "gs://", 5) == 0);
    tni_arena_rewind(arena, mark);
    return yes;
}

/* The four are numbers, or all empty. */
static bool are_numbers(const tni_csv *c, size_t from)
{
    size_t empty = 0, good = 0;
    for (size_t i = from; i < from + 4; i++) {
        double v = 0.0;
        if (c->fields[i].text.len == 0) empty++;
        if (tni_field_f64(c->fields[i].text, &v)) good++;
    }
    return empty == 4 || good == 4;
}

static void set_columns(tni_table *t, int32_t image, int32_t cls)
{
    t->at[TNI_COL_IMAGE] = image;
    t->at[TNI_COL_CLASS] = cls;
    t->roles[image] = TNI_COL_IMAGE;
    t->roles[cls] = TNI_COL_CLASS;
}

/* path and four numbers from `first` on, without a header. */
static void set_box(tni_table *t, int32_t cls, int32_t first)
{
    t->kind = TNI_TABLE_ROWS;
    set_columns(t, 0, cls);
    for (int k = 0; k < 4; k++) {
        t->at[TNI_COL_BOX0 + k] = first + k;
        t->roles[first + k] = (uint8_t)(TNI_COL_BOX0 + k);
    }
}

static void read_shape(tni_table *t, const tni_csv *c, const char *file,
                       tni_arena *arena)
{
    const tni_csv_field *f = c->fields;
    int64_t number = 0;
    if (c->n == 2 && tni_field_i64(f[1].text, &number) &&
        !is_path(f[0].text, arena) && strstr(file, "class") != NULL) {
        t->kind = TNI_TABLE_MAPPING;
    } else if (c->n >= 3 && is_set(f[0].text) && is_path(f[1].text, arena)) {
        t->kind = TNI_TABLE_AUTOML;
        t->at[TNI_COL_SPLIT] = 0;
        set_columns(t, 1, 2);
    } else if (c->n == 10 && is_path(f[0].text, arena)) {
        t->kind = TNI_TABLE_AUTOML;
        set_columns(t, 0, 1);
    } else if (c->n == 6 && is_path(f[0].text, arena) && are_numbers(c, 1)) {
        set_box(t, 5, 1);
        t->meanings = TNI_MEANS(TN_BOX_XYXY, 0) | TNI_MEANS(TN_BOX_XYXY, 1);
    } else if (c->n == 6 && is_path(f[0].text, arena) && are_numbers(c, 2)) {
        /* No tool's own: nothing says what the numbers are. */
        set_box(t, 1, 2);
        t->meanings = open_meanings;
    } else if (c->n == 2 && is_path(f[0].text, arena)) {
        t->kind = TNI_TABLE_ROWS;
        set_columns(t, 0, 1);
    }
    if (t->kind == TNI_TABLE_AUTOML) t->meanings = TNI_MEANS(TN_BOX_XYXY, 1);
}

bool tni_table_of(tni_table *t, const tni_csv *first, const char *file,
                  tni_arena *arena)
{
    memset(t, 0, sizeof *t);
    for (int k = 0; k < TNI_COL_COUNT; k++) t->at[k] = -1;
    t->n_columns = first->n;
    t->roles = TNI_NEW_ARRAY(arena, uint8_t, first->n + 1);
    t->names = TNI_NEW_ARRAY(arena, const char *, first->n + 1);
    if (t->roles == NULL || t->names == NULL) return false;
    for (size_t i = 0; i < first->n; i++) {
        t->names[i] = tni_arena_strndup(arena, first->fields[i].text.p,
                                        first->fields[i].text.len);
        if (t->names[i] == NULL) return false;
    }
    if (first->n > 1) {
        if (is_path(first->fields[0].text, arena))
            read_shape(t, first, file, arena);
        else if (!read_header(t, arena))
            return false;
        if (t->kind == TNI_TABLE_NONE && !t->header)
            read_shape(t, first, file, arena);
    }
    if (!t->header) t->names = NULL;
    return true;
}

/* Whether all fields of a record but the first are 0 or 1. */
static bool is_one_hot(const tni_table *t, const tni_csv *c)
{
    if (c->n != t->n_columns) return false;
    for (size_t i = 0; i < c->n; i++) {
        double v = 0.0;
        if ((int32_t)i == t->at[TNI_COL_IMAGE]) continue;
        if (!tni_field_f64(c->fields[i].text, &v) || (v != 0.0 && v != 1.0))
            return false;
    }
    return true;
}

tni_table_kind tni_table_probe(tni_table *t, tni_span head, const char *file,
                               tni_arena *arena)
{
    tni_csv c;
    const size_t full = head.len;
    /* The last record may be cut. */
    while (head.len > 0 && full >= (64 << 10) && head.p[head.len - 1] != '\n')
        head.len--;
    tni_csv_init(&c, head, tni_csv_delimiter(head), arena, NULL);
    c.trim = true;
    memset(t, 0, sizeof *t);
    if (!tni_csv_next(&c)) {
        t->no_memory = c.status == TN_ENOMEM;
        return TNI_TABLE_NONE;
    }
    if (!tni_table_of(t, &c, file, arena)) {
        t->no_memory = true;
        return TNI_TABLE_NONE;
    }
    const bool named = tni_ends_with(file, "_classes.csv");
    if (!t->header || t->n_columns < 2 || (t->kind != TNI_TABLE_NONE && !named))
        return t->kind;
    size_t n = 0;
    bool all = true;
    while (all && n < 100 && tni_csv_next(&c)) {
        all = is_one_hot(t, &c);
        n++;
    }
    t->no_memory = c.status == TN_ENOMEM;
    if (all && !t->no_memory && (n > 0 || named)) t->kind = TNI_TABLE_ONE_HOT;
    return t->kind;
}

/* --- variants and files --------------------------------------------------- */

uint32_t tni_csv_meaning(const char *variant)
{
    static const struct {
        const char *name;
        uint32_t meaning;
    } rows[] = {
        {"tensorflow", TNI_MEANS(TN_BOX_XYXY, 0)},
        {"retinanet", TNI_MEANS(TN_BOX_XYXY, 0)},
        {"kaggle", TNI_MEANS(TN_BOX_XYWH, 0)},
        {"automl", TNI_MEANS(TN_BOX_XYXY, 1)},
        {"xyxy", TNI_MEANS(TN_BOX_XYXY, 0)},
        {"xywh", TNI_MEANS(TN_BOX_XYWH, 0)},
        {"cxcywh", TNI_MEANS(TN_BOX_CXCYWH, 0)},
        {"xyxy-unit", TNI_MEANS(TN_BOX_XYXY, 1)},
        {"xywh-unit", TNI_MEANS(TN_BOX_XYWH, 1)},
        {"cxcywh-unit", TNI_MEANS(TN_BOX_CXCYWH, 1)},
    };
    for (size_t i = 0; variant != NULL && i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, variant) == 0) return rows[i].meaning;
    return 0;
}

bool tni_csv_split_of(const char *file, tni_span *split)
{
    static const char *const names[] = {"train", "val", "valid",   "validation",
                                        "test",  "dev", "trainval"};
    const size_t stem = tni_stem_len(file);
    for (size_t i = 0; i < stem;) {
        size_t n = 0;
        while (i + n < stem && strchr("_-. ", file[i + n]) == NULL) n++;
        split->p = file + i;
        split->len = n;
        /* In the middle of a name it says something else ("is_valid_1"). */
        const bool outer = i == 0 || i + n == stem;
        for (size_t k = 0; outer && k < sizeof names / sizeof names[0]; k++)
            if (tni_span_is(*split, names[k])) return true;
        i += n + 1;
    }
    return false;
}
