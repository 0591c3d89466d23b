/* SPDX-License-Identifier: Apache-2.0 */
/* dataset_testing.h - a scratch folder, rows of a dataset, lack of memory */
#ifndef TN_TESTS_DATASET_TESTING_H
#define TN_TESTS_DATASET_TESTING_H

#include "harness/oom.h"
#include "harness/tmp.h"
#include "tenon/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GOLDEN TEST_FIXTURES "/../formats/"

static tn_err err;
static char dir[TMP_PATH];

static inline int set_up(void **state)
{
    (void)state;
    tmp_new(dir);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    tmp_remove(dir);
    return 0;
}

/* A test in a scratch folder of its own. */
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static inline tn_dataset_info info_of(const tn_dataset *d)
{
    tn_dataset_info info = TN_DATASET_INFO_INIT;
    tn_dataset_get_info(d, &info);
    return info;
}

static inline tn_image_row image_of(const tn_dataset *d, size_t i)
{
    tn_image_row row = TN_IMAGE_ROW_INIT;
    assert_int_equal(tn_dataset_image(d, i, &row), TN_OK);
    return row;
}

static inline tn_annotation_row ann_of(const tn_dataset *d, size_t i)
{
    tn_annotation_row row = TN_ANNOTATION_ROW_INIT;
    assert_int_equal(tn_dataset_annotation(d, i, &row), TN_OK);
    return row;
}

/* --- lack of memory -------------------------------------------------------- */

typedef struct opening {
    const char *path, *format, *variant;
} opening;

static inline tn_status open_with(void *ctx, const tn_allocator *allocator)
{
    const opening *what = ctx;
    tn_dataset *d = NULL;
    tn_dataset_opts o = TN_DATASET_OPTS_INIT;
    o.allocator = allocator;
    o.format = what->format;
    o.variant = what->variant;
    const tn_status status = tn_dataset_open(&d, what->path, &o, NULL);
    tn_dataset_close(d);
    return status;
}

/* Opening it, with each allocation failing in turn; format and variant may be
 * NULL. */
static inline void survives_oom_as(const char *what, const char *format,
                                   const char *variant)
{
    opening o = {what, format, variant};
    oom_sweep(open_with, &o);
}

static inline void survives_oom(const char *what, const char *format)
{
    survives_oom_as(what, format, NULL);
}

#endif
