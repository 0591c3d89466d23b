/* SPDX-License-Identifier: Apache-2.0 */
/* format_fuzzing.c - a format's reader on any bytes, then all it read */
#define _XOPEN_SOURCE 700
#include "fuzz_format.h"

#include "sys/dir.h"
#include "tenon/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *dir, const char *name, const void *data,
                size_t size)
{
    char path[600];
    if (strstr(name, "..") != NULL || name[0] == '/' || name[0] == '\0') return;
    (void)snprintf(path, sizeof path, "%s/%.200s", dir, name);
    if (tni_dir_make_for(path, NULL) != TN_OK) return;
    FILE *f = fopen(path, "wb");
    if (f == NULL) return;
    if (size > 0 && fwrite(data, 1, size, f) != size) abort();
    (void)fclose(f);
}

/* Splits the input at "\n==> NAME\n"; returns how many files there are. */
static int unpack(const char *dir, const char *first, const char *data,
                  size_t size)
{
    char name[200];
    (void)snprintf(name, sizeof name, "%s", first);
    int n = 0;
    const char *end = data + size, *begin = data;
    for (const char *p = data; p + 5 < end; p++) {
        if (memcmp(p, "\n==> ", 5) != 0) continue;
        const char *line = memchr(p + 5, '\n', (size_t)(end - p - 5));
        if (line == NULL || line - p - 5 >= (long)sizeof name) continue;
        if (p > begin || n > 0) {
            put(dir, name, begin, p > begin ? (size_t)(p - begin) : 0);
            n++;
        }
        memcpy(name, p + 5, (size_t)(line - p - 5));
        name[line - p - 5] = '\0';
        if (memchr(name, '\0', (size_t)(line - p - 5)) != NULL) name[0] = '\0';
        begin = line + 1;
        p = line - 1;
    }
    put(dir, name, begin, (size_t)(end - begin));
    return n + 1;
}

static void look(const tn_dataset *d)
{
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_shape s = TN_SHAPE_INIT;
    tn_dataset_get_info(d, &info);
    for (size_t i = 0; i < info.n_annotations; i++) {
        double box[4], v = 0.0;
        tn_annotation_row a = TN_ANNOTATION_ROW_INIT;
        if (tn_dataset_annotation(d, i, &a) != TN_OK) abort();
        if (a.image != TN_NONE && a.image >= info.n_images) abort();
        if (a.class_index != TN_NONE && a.class_index >= info.n_classes)
            abort();
        (void)tn_dataset_box(d, i, box);
        (void)!tn_dataset_shape(d, i, &s, NULL);
        (void)!tn_dataset_keypoints(d, i, &s, NULL);
        for (int k = 0; k < TN_NUM_COUNT; k++)
            (void)tn_dataset_num(d, i, (tn_num)k, &v);
        for (int k = 0; k < TN_TEXT_COUNT; k++)
            (void)tn_dataset_text(d, i, (tn_text)k, 0);
    }
    for (size_t i = 0; i < info.n_images; i++) {
        size_t n = 0;
        (void)tn_dataset_of_image(d, i, &n);
    }
    tn_shape_fini(&s);
}

/* What was accepted is written in its own format and must read back. */
static void again(const tn_dataset *d, const char *dir, const char *format)
{
    char to[600];
    tn_conversion *c = NULL;
    tn_convert_opts o = TN_CONVERT_OPTS_INIT;
    tn_err err;
    memset(&err, 0, sizeof err);
    o.format = format;
    o.allow_loss = "all";
    o.images = TN_FILES_NONE;
    (void)snprintf(to, sizeof to, "%s.out", dir);
    const tn_status status = tn_dataset_convert(&c, d, to, &o, &err);
    if (status == TN_EINTERNAL) {
        fprintf(stderr, "%s: %s\n", err.where, err.message);
        abort();
    }
    tn_conversion_free(c);
    (void)!tni_path_remove(to, NULL);
}

void fuzz_format(const char *format, const char *name, const uint8_t *data,
                 size_t size)
{
    char dir[] = "/tmp/tenon-fuzz-XXXXXX", path[600];
    static const tn_limits tight = {.struct_size = sizeof(tn_limits),
                                    .max_file_bytes = 1 << 20,
                                    .max_total_bytes = 1 << 24,
                                    .max_nesting = 16};
    if (mkdtemp(dir) == NULL) return;
    const int n = unpack(dir, name, (const char *)data, size);
    (void)snprintf(path, sizeof path, "%s%s%s", dir, n > 1 ? "" : "/",
                   n > 1 ? "" : name);
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    tn_dataset *d = NULL;
    tn_err err;
    memset(&err, 0, sizeof err);
    o.format = format;
    o.limits = &tight;
    if (tn_dataset_open(&d, path, &o, &err) == TN_OK) {
        look(d);
        again(d, dir, format);
    } else if (err.message[0] == '\0') {
        abort();
    }
    tn_dataset_close(d);
    (void)!tni_path_remove(dir, NULL);
}
