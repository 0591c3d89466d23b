/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_stats.c - what is in a dataset */
#include "data_args.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {DATA_OPTIONS};

enum { N_KINDS = 9, N_STATES = 3, N_SPLITS = 65 };

static const char *const kind_names[N_KINDS] = {
    "box",     "oriented_box", "polygon", "mask", "keypoints",
    "caption", "tag",          "crowd",   "other"};
static const char *const state_names[N_STATES] = {"unlabelled", "empty",
                                                  "annotated"};

typedef struct class_count {
    uint64_t annotations, images;
    size_t last; /* image it was seen in, plus one */
} class_count;

typedef struct stats {
    const tn_dataset *d;
    tn_dataset_info info;
    uint32_t *class_of;   /* of each annotation */
    class_count *classes; /* the last: without a class */
    uint64_t kinds[N_KINDS], states[N_STATES];
    uint64_t split_images[N_SPLITS], split_annotations[N_SPLITS];
    uint64_t files, orphans, most;
    double min_w, max_w, min_h, max_h;
    int min_iw, max_iw, min_ih, max_ih;
    uint64_t n_boxes, n_sized;
} stats;

static void count_annotation(stats *s, size_t i, const tn_annotation_row *a)
{
    double b[4];
    tn_shape_kind kind = TN_SHAPE_NONE;
    if ((a->flags & TN_HAS_SHAPE) != 0) kind = tn_dataset_shape_kind(s->d, i);
    if ((a->flags & TN_HAS_BOX) != 0 && (a->flags & TN_HAS_ANGLE) == 0)
        s->kinds[0]++;
    if ((a->flags & TN_HAS_ANGLE) != 0 || kind == TN_SHAPE_QUAD) s->kinds[1]++;
    if (kind == TN_SHAPE_POLYGON) s->kinds[2]++;
    if (kind == TN_SHAPE_RLE || kind == TN_SHAPE_MASK_FILE) s->kinds[3]++;
    if ((a->flags & TN_HAS_KEYPOINTS) != 0) s->kinds[4]++;
    if ((a->flags & TN_HAS_TEXT) != 0 &&
        tn_dataset_text(s->d, i, TN_TEXT_CAPTION, 0).data != NULL)
        s->kinds[5]++;
    if ((a->flags & TN_IS_TAG) != 0) s->kinds[6]++;
    if ((a->flags & TN_IS_CROWD) != 0) s->kinds[7]++;
    if (kind == TN_SHAPE_POLYLINE || kind == TN_SHAPE_POINTS ||
        kind == TN_SHAPE_ELLIPSE || kind == TN_SHAPE_CUBOID)
        s->kinds[8]++;
    const size_t cls =
        a->class_index == TN_NONE ? s->info.n_classes : a->class_index;
    s->classes[cls].annotations++;
    s->class_of[i] = (uint32_t)cls;
    if (a->image == TN_NONE) s->orphans++;
    if ((a->flags & TN_HAS_BOX) == 0 || tn_dataset_box(s->d, i, b) == 0) return;
    const double w = b[2] - b[0], h = b[3] - b[1];
    if (s->n_boxes++ == 0) {
        s->min_w = s->max_w = w;
        s->min_h = s->max_h = h;
    }
    s->min_w = fmin(s->min_w, w);
    s->max_w = fmax(s->max_w, w);
    s->min_h = fmin(s->min_h, h);
    s->max_h = fmax(s->max_h, h);
}

static void count_image(stats *s, size_t i)
{
    tn_image_row r = TN_IMAGE_ROW_INIT;
    size_t n = 0;
    if (tn_dataset_image(s->d, i, &r) != TN_OK) return;
    const uint32_t *list = tn_dataset_of_image(s->d, i, &n);
    s->states[r.state < N_STATES ? r.state : 0]++;
    if (r.file != NULL || tn_dataset_image_bytes(s->d, i).data != NULL)
        s->files++;
    if (n > s->most) s->most = n;
    for (size_t k = 0; k < n; k++) {
        class_count *c = &s->classes[s->class_of[list[k]]];
        if (c->last != i + 1) c->images++;
        c->last = i + 1;
    }
    for (size_t k = 0; k < s->info.n_splits; k++)
        if ((r.splits >> k & 1) != 0) {
            s->split_images[k]++;
            s->split_annotations[k] += n;
        }
    if (r.splits == 0) {
        s->split_images[N_SPLITS - 1]++;
        s->split_annotations[N_SPLITS - 1] += n;
    }
    const int w = r.width > 0 ? r.width : r.raw_width;
    const int h = r.height > 0 ? r.height : r.raw_height;
    if (w <= 0 || h <= 0) return;
    if (s->n_sized++ == 0) {
        s->min_iw = s->max_iw = w;
        s->min_ih = s->max_ih = h;
    }
    if (w < s->min_iw) s->min_iw = w;
    if (w > s->max_iw) s->max_iw = w;
    if (h < s->min_ih) s->min_ih = h;
    if (h > s->max_ih) s->max_ih = h;
}

static void count(stats *s)
{
    for (size_t i = 0; i < s->info.n_annotations; i++) {
        tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
        if (tn_dataset_annotation(s->d, i, &a) == TN_OK)
            count_annotation(s, i, &a);
    }
    for (size_t i = 0; i < s->info.n_images; i++) count_image(s, i);
}

static const char *class_name(const stats *s, size_t i)
{
    tn_class_row c = TN_CLASS_ROW_INIT;
    if (i >= s->info.n_classes) return "(no class)";
    return tn_dataset_class(s->d, i, &c) == TN_OK ? c.name : "";
}

static void print_text(const stats *s)
{
    const unsigned long long most = (unsigned long long)s->most;
    printf("%s\n  format       %s%s%s\n", s->info.path, s->info.format,
           s->info.variant != NULL ? ":" : "",
           s->info.variant != NULL ? s->info.variant : "");
    printf("  images       %zu (%llu files found", s->info.n_images,
           (unsigned long long)s->files);
    for (int i = 0; i < N_STATES; i++)
        printf(", %llu %s", (unsigned long long)s->states[i], state_names[i]);
    printf(")\n  annotations  %zu (at most %llu on an image",
           s->info.n_annotations, most);
    if (s->orphans > 0)
        printf(", %llu on no image", (unsigned long long)s->orphans);
    printf(")\n");
    for (int i = 0; i < N_KINDS; i++)
        if (s->kinds[i] > 0)
            printf("    %-14s %llu\n", kind_names[i],
                   (unsigned long long)s->kinds[i]);
    if (s->n_sized > 0)
        printf("  image sizes  %d to %d wide, %d to %d high\n", s->min_iw,
               s->max_iw, s->min_ih, s->max_ih);
    if (s->n_boxes > 0)
        printf("  box sizes    %.6g to %.6g wide, %.6g to %.6g high\n",
               s->min_w, s->max_w, s->min_h, s->max_h);
    if (s->info.n_splits > 0) printf("  splits\n");
    for (size_t i = 0; i < N_SPLITS; i++) {
        if (i < s->info.n_splits ||
            (i == N_SPLITS - 1 && s->info.n_splits > 0 &&
             s->split_images[i] > 0))
            printf("    %-14s %llu images, %llu annotations\n",
                   i < s->info.n_splits ? tn_dataset_split(s->d, i) : "(none)",
                   (unsigned long long)s->split_images[i],
                   (unsigned long long)s->split_annotations[i]);
    }
    printf("  classes      %zu\n", s->info.n_classes);
    for (size_t i = 0; i <= s->info.n_classes; i++)
        if (i < s->info.n_classes || s->classes[i].annotations > 0)
            printf("    %-24s %8llu on %llu images\n", class_name(s, i),
                   (unsigned long long)s->classes[i].annotations,
                   (unsigned long long)s->classes[i].images);
}

static void put_range(cli_json *j, const char *key, double min, double max)
{
    cli_json_open(j, key, '[');
    cli_json_number(j, NULL, min);
    cli_json_number(j, NULL, max);
    cli_json_close(j, ']');
}

static void print_json(const stats *s)
{
    cli_json j;
    cli_json_init(&j, stdout);
    cli_json_open(&j, NULL, '{');
    cli_json_string(&j, "dataset", s->info.path);
    cli_json_string(&j, "format", s->info.format);
    if (s->info.variant != NULL)
        cli_json_string(&j, "variant", s->info.variant);
    else
        cli_json_null(&j, "variant");
    cli_json_int(&j, "images", (int64_t)s->info.n_images);
    cli_json_int(&j, "image_files", (int64_t)s->files);
    cli_json_open(&j, "states", '{');
    for (int i = 0; i < N_STATES; i++)
        cli_json_int(&j, state_names[i], (int64_t)s->states[i]);
    cli_json_close(&j, '}');
    cli_json_int(&j, "annotations", (int64_t)s->info.n_annotations);
    cli_json_int(&j, "orphans", (int64_t)s->orphans);
    cli_json_open(&j, "geometry", '{');
    for (int i = 0; i < N_KINDS; i++)
        cli_json_int(&j, kind_names[i], (int64_t)s->kinds[i]);
    cli_json_close(&j, '}');
    if (s->n_sized > 0) {
        put_range(&j, "image_width", s->min_iw, s->max_iw);
        put_range(&j, "image_height", s->min_ih, s->max_ih);
    }
    if (s->n_boxes > 0) {
        put_range(&j, "box_width", s->min_w, s->max_w);
        put_range(&j, "box_height", s->min_h, s->max_h);
    }
    cli_json_open(&j, "splits", '{');
    for (size_t i = 0; i < s->info.n_splits; i++) {
        cli_json_open(&j, tn_dataset_split(s->d, i), '{');
        cli_json_int(&j, "images", (int64_t)s->split_images[i]);
        cli_json_int(&j, "annotations", (int64_t)s->split_annotations[i]);
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, '}');
    cli_json_open(&j, "classes", '[');
    for (size_t i = 0; i < s->info.n_classes; i++) {
        tn_class_row c = TN_CLASS_ROW_INIT;
        if (tn_dataset_class(s->d, i, &c) != TN_OK) continue;
        cli_json_open(&j, NULL, '{');
        cli_json_string(&j, "name", c.name);
        if (c.id.kind == TN_ID_INT) cli_json_int(&j, "id", c.id.number);
        if (c.id.kind == TN_ID_TEXT) cli_json_string(&j, "id", c.id.text);
        cli_json_int(&j, "annotations", (int64_t)s->classes[i].annotations);
        cli_json_int(&j, "images", (int64_t)s->classes[i].images);
        cli_json_close(&j, '}');
    }
    cli_json_close(&j, ']');
    data_notes(s->d, &j);
    cli_json_close(&j, '}');
    cli_json_end(&j);
}

static int run(cli *c)
{
    stats s;
    tn_dataset *d = NULL;
    const tn_dataset_info info = TN_DATASET_INFO_INIT;
    memset(&s, 0, sizeof s);
    const int code = data_open(&d, c, c->args[0]);
    if (code != CLI_OK) return code;
    s.d = d;
    s.info = info;
    tn_dataset_get_info(d, &s.info);
    s.classes = cli_alloc((s.info.n_classes + 1) * sizeof *s.classes);
    memset(s.classes, 0, (s.info.n_classes + 1) * sizeof *s.classes);
    s.class_of = cli_alloc((s.info.n_annotations + 1) * sizeof *s.class_of);
    count(&s);
    if (c->json) {
        print_json(&s);
    } else {
        print_text(&s);
        data_notes(d, NULL);
    }
    free(s.classes);
    free(s.class_of);
    tn_dataset_close(d);
    return CLI_OK;
}

const cli_command cli_cmd_stats = {
    .name = "stats",
    .group = "Data",
    .summary = "what is in a dataset",
    .usage = "DATASET [--from FORMAT[:VARIANT]] [--image-dir DIR] [--json]",
    .details = "DATASET is a file or a folder; 'tenon list formats' lists the "
               "formats. Notes say\nwhat was odd and read nevertheless.\n",
    .examples = "  tenon stats annotations/instances_val2017.json\n"
                "  tenon stats my-yolo/ --from yolo:obb --json\n",
    CLI_OPTIONS(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
