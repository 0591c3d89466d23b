/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rle.c - run-length masks against what pycocotools gave
 *
 * Reads fixtures/rle/pycocotools.txt, or the file that TEST_RLE names, which
 * make_rle.py can make of any length.
 */
#include "data/rle.h"
#include "harness/oom.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static tni_mem mem;
static tni_arena arena;

static int begin(void **state)
{
    (void)state;
    tni_mem_init(&mem, NULL, 0);
    tni_arena_init(&arena, &mem, 1 << 16);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tni_arena_fini(&arena);
    return 0;
}

/* Words of a line, one after the other. */
static char *cursor;

static char *word(void)
{
    while (*cursor == ' ' || *cursor == '\n') cursor++;
    char *start = cursor;
    while (*cursor != ' ' && *cursor != '\n' && *cursor != '\0') cursor++;
    if (*cursor != '\0') *cursor++ = '\0';
    return start;
}

static double number(void)
{
    return strtod(word(), NULL);
}

static tni_rle masked(uint32_t h, uint32_t w)
{
    tni_rle r;
    const char *text = word();
    if (tni_rle_decode(&r, &arena, h, w, text, strlen(text), &err) != TN_OK)
        fail_msg("'%s': %s", text, err.message);
    return r;
}

static void same_text(const tni_rle *r, const char *want, const char *line)
{
    const char *text = NULL;
    size_t len = 0;
    assert_int_equal(tni_rle_check(r, &err), TN_OK);
    assert_int_equal(tni_rle_encode(&text, &len, &arena, r, &err), TN_OK);
    if (strcmp(text, want) != 0)
        fail_msg("line %s: '%s', expected '%s'", line, text, want);
    assert_int_equal(len, strlen(want));
}

static void same_facts(const tni_rle *r)
{
    double box[4];
    tni_rle_bbox(box, r);
    assert_int_equal(tni_rle_area(r), (uint64_t)number());
    for (int i = 0; i < 4; i++) assert_true(box[i] == number());
}

static void polygon_line(uint32_t h, uint32_t w, const char *line)
{
    static double xy[4096];
    tni_rle r;
    const char *want = word();
    char *const facts = cursor;
    for (int i = 0; i < 5; i++) (void)strtod(cursor, &cursor);
    const size_t n = (size_t)number();
    for (size_t i = 0; i < 2 * n; i++) xy[i] = number();
    assert_int_equal(tni_rle_from_polygon(&r, &arena, h, w, xy, n, &err),
                     TN_OK);
    same_text(&r, want, line);
    cursor = facts;
    same_facts(&r);
}

static void pixels_line(uint32_t h, uint32_t w, const char *line)
{
    static uint8_t mask[64 * 64], back[64 * 64];
    char *want = cursor;
    const tni_rle r = masked(h, w);
    while (*want == ' ') want++;
    same_facts(&r);
    const char *bits = word();
    for (uint32_t x = 0; x < w; x++)
        for (uint32_t y = 0; y < h; y++)
            mask[y * w + x] = (uint8_t)(bits[x * h + y] - '0');
    tni_rle again;
    tni_rle_to_mask(&r, back, 1, w);
    assert_memory_equal(mask, back, (size_t)h * w);
    assert_int_equal(tni_rle_from_mask(&again, &arena, h, w, mask, 1, w, &err),
                     TN_OK);
    same_text(&again, want, line);
}

static void one_line(char *line)
{
    char head[80];
    (void)snprintf(head, sizeof head, "%.60s", line);
    cursor = line;
    const char kind = *word();
    const uint32_t h = (uint32_t)number(), w = (uint32_t)number();
    if (kind == 'P') {
        polygon_line(h, w, head);
    } else if (kind == 'B') {
        const char *want = word();
        double box[4];
        tni_rle r;
        for (int i = 0; i < 4; i++) box[i] = number();
        assert_int_equal(tni_rle_from_box(&r, &arena, h, w, box, &err), TN_OK);
        same_text(&r, want, head);
    } else if (kind == 'R') {
        pixels_line(h, w, head);
    } else if (kind == 'M') {
        tni_rle masks[8], r;
        const bool both = number() != 0;
        const char *want = word();
        const size_t n = (size_t)number();
        for (size_t i = 0; i < n; i++) masks[i] = masked(h, w);
        assert_int_equal(tni_rle_merge(&r, &arena, masks, n, both, &err),
                         TN_OK);
        same_text(&r, want, head);
    } else {
        const bool crowd = number() != 0;
        const double want = number();
        const tni_rle a = masked(h, w), b = masked(h, w);
        const double got = tni_rle_iou(&a, &b, crowd);
        if (!(got == want))
            fail_msg("line %s: %.17g, expected %.17g", head, got, want);
    }
}

static void as_pycocotools(void **state)
{
    (void)state;
    static char line[1 << 16];
    const char *path = getenv("TEST_RLE");
    FILE *f =
        fopen(path != NULL ? path : TEST_FIXTURES "/rle/pycocotools.txt", "r");
    assert_non_null(f);
    int n = 0;
    for (; fgets(line, sizeof line, f) != NULL; n++) {
        one_line(line);
        tni_arena_reset(&arena);
    }
    (void)fclose(f);
    printf("%d cases\n", n);
    assert_true(n >= 280);
}

/* The third count is whole, the fourth the difference to the second. */
static void the_third_count(void **state)
{
    (void)state;
    static const uint32_t counts[] = {5, 3, 5, 3, 9};
    const tni_rle r = {5, 5, 5, counts};
    same_text(&r, "53504", "");
    tni_rle back;
    assert_int_equal(tni_rle_decode(&back, &arena, 5, 5, "53504", 5, &err),
                     TN_OK);
    assert_memory_equal(back.counts, counts, sizeof counts);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t h, w;
        const char *text;
        tn_status status;
        const char *message;
    } rows[] = {
        {4, 4, "8", TN_EFORMAT, "add up to 8 pixels; the mask has 4 x 4"},
        {4, 4, "", TN_EFORMAT, "add up to 0"},
        {4, 4, "o", TN_EFORMAT, "ends inside a number"},
        {4, 4, "\xff", TN_EFORMAT, "character 0xff"},
        {4, 4, "p", TN_EFORMAT, "character 0x70"},
        {4, 4, " 8", TN_EFORMAT, "character 0x20"},
        {4, 4, "88O", TN_EFORMAT, "a length of -1"},
        {4, 4, "oooooooooo0", TN_EFORMAT, "more than 40 bits"},
        {4, 4, "ooooooo0", TN_EFORMAT, "a length of 34359738367"},
        {4, 4, "88888", TN_EFORMAT, "at least"},
        {65536, 65536, "0", TN_ELIMIT, "65536 x 65536"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tni_rle r;
        const tn_status status =
            tni_rle_decode(&r, &arena, rows[i].h, rows[i].w, rows[i].text,
                           strlen(rows[i].text), &err);
        if (status != rows[i].status ||
            strstr(err.message, rows[i].message) == NULL)
            fail_msg("'%s': %s '%s'", rows[i].text, tn_status_name(status),
                     err.message);
    }
    tni_rle r;
    const double bad[] = {0, 0, (double)NAN, 1, 1, 1};
    assert_int_equal(tni_rle_from_polygon(&r, &arena, 4, 4, bad, 3, &err),
                     TN_EFORMAT);
    assert_non_null(strstr(err.message, "coordinate 2"));
    assert_int_equal(tni_rle_from_polygon(&r, &arena, 4, 4, bad, 0, &err),
                     TN_EFORMAT);
    const double far[] = {0, 0, 1e8, 1, 1, 1};
    assert_int_equal(tni_rle_from_polygon(&r, &arena, 4, 4, far, 3, &err),
                     TN_ELIMIT);
    static const uint32_t four[] = {4}, six[] = {0, 6};
    const tni_rle sizes[2] = {{2, 2, 1, four}, {2, 3, 2, six}};
    assert_int_equal(tni_rle_merge(&r, &arena, sizes, 2, false, &err),
                     TN_EINVAL);
    const tni_rle full = {1, 4, 2, (const uint32_t[]){0, 4}};
    assert_true(tni_rle_iou(&sizes[1], &full, false) == -1);
    assert_int_equal(tni_rle_merge(&r, &arena, sizes, 0, false, &err), TN_OK);
    assert_int_equal(r.h, 0);
}

static tn_status all_of_it(void *ctx, const tn_allocator *allocator)
{
    static const double xy[] = {1, 1, 30, 4, 12, 25};
    tni_mem m;
    tni_arena a;
    tni_rle r[2];
    const char *text = NULL;
    size_t len = 0;
    (void)ctx;
    tni_mem_init(&m, allocator, 0);
    tni_arena_init(&a, &m, 1);
    tn_status s = tni_rle_from_polygon(&r[0], &a, 40, 40, xy, 3, &err);
    if (s == TN_OK) s = tni_rle_encode(&text, &len, &a, &r[0], &err);
    if (s == TN_OK) s = tni_rle_decode(&r[1], &a, 40, 40, text, len, &err);
    if (s == TN_OK) s = tni_rle_merge(&r[0], &a, r, 2, true, &err);
    tni_arena_fini(&a);
    return s;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_sweep(all_of_it, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pycocotools),
        cmocka_unit_test(the_third_count),
        cmocka_unit_test(refused),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
