/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_header.c - what a header says, and what broken ones get */
#include "tenon/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static tn_err err;
static tn_image_info info = TN_IMAGE_INFO_INIT;

static tn_status probe(const void *bytes, size_t size)
{
    return tn_image_probe(&info, NULL, bytes, size, 0, 0, &err);
}

static const uint8_t gif[] = {
    'G', 'I',  'F', '8', '9', 'a', 3, 0, 2, 0, 0x80, 0, 0, 0,    0, 0, 255, 255,
    255, 0x2c, 0,   0,   0,   0,   3, 0, 2, 0, 0,    2, 2, 0x44, 1, 0, 0x3b};

static void smallest_gif(void **state)
{
    (void)state;
    assert_int_equal(probe(gif, sizeof gif), TN_OK);
    assert_string_equal(info.format, "gif");
    assert_int_equal(info.width, 3);
    assert_int_equal(info.height, 2);
    assert_int_equal(info.flags, TN_IMAGE_PALETTE);
    assert_int_equal(info.orientation, 1);
    assert_int_equal(info.orientation_tag, -1);
}

/* With ever more first bytes: what is asked for is always more than given
 * and never beyond the file, and the end is the same. */
static void asks_for_more(void **state)
{
    (void)state;
    size_t have = 0, need = 1, rounds = 0;
    while (need != 0) {
        assert_int_equal(
            tn_image_probe(&info, &need, gif, have, sizeof gif, 0, &err),
            TN_OK);
        assert_true(need == 0 || (need > have && need <= sizeof gif));
        if (need != 0) have = need;
        rounds++;
    }
    assert_true(rounds > 1);
    assert_int_equal(info.width, 3);
}

static void not_images(void **state)
{
    (void)state;
    assert_int_equal(probe("", 0), TN_EFORMAT);
    assert_string_equal(err.message, "the file is empty");
    assert_int_equal(probe("<?xml version=\"1.0\"?>", 21), TN_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "this is an XML file"));
    assert_int_equal(probe("abcd", 4), TN_EFORMAT);
    assert_non_null(strstr(err.message, "61 62 63 64"));
    assert_int_equal(probe(NULL, 4), TN_EINVAL);
    size_t need = 0;
    assert_int_equal(tn_image_probe(&info, &need, gif, 8, 4, 0, &err),
                     TN_EINVAL);
}

/* The header by first bytes only gives the same as the whole file. */
static void stepwise(const char *name, const char *path)
{
    uint8_t bytes[4096];
    const tn_image_info whole = info;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t size = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    size_t need = 0, have = 0;
    do {
        have = need;
        if (tn_image_probe(&info, &need, bytes, have, size, 0, &err) != TN_OK)
            fail_msg("%s: %s", name, err.message);
        assert_true(need == 0 || (need > have && need <= size));
    } while (need != 0);
    assert_memory_equal(&info, &whole, sizeof info);
    /* Only what precedes the pixels never needs more of the file. */
    need = 0;
    size_t head = 0;
    do {
        head = need;
        assert_int_equal(tn_image_probe(&info, &need, bytes, head, size,
                                        TN_IMAGE_HEAD_ONLY, &err),
                         TN_OK);
    } while (need != 0);
    assert_true(head <= have);
    assert_int_equal(info.width, whole.width);
    /* EXIF that WebP promises is read where it is at hand all the same. */
    assert_int_equal(
        tn_image_probe(&info, NULL, bytes, size, 0, TN_IMAGE_HEAD_ONLY, &err),
        TN_OK);
    if (strcmp(whole.format, "webp") == 0)
        assert_memory_equal(&info, &whole, sizeof info);
}

typedef struct row {
    const char *name, *format;
    int width, height, channels, bits, orientation, tag;
    unsigned flags;
} row;

static void fixtures(void **state)
{
    (void)state;
    enum {
        PAL = TN_IMAGE_PALETTE,
        ALPHA = TN_IMAGE_ALPHA,
        ANIM = TN_IMAGE_ANIMATED,
        PAGES = TN_IMAGE_PAGES,
        LACE = TN_IMAGE_INTERLACED,
        CMYK = TN_IMAGE_CMYK,
        PART = TN_IMAGE_PARTIAL
    };
    static const row rows[] = {
        {"rgb8.png", "png", 5, 3, 3, 8, 1, -1, 0},
        {"rgb16.png", "png", 5, 3, 3, 16, 1, -1, 0},
        {"pal2.png", "png", 5, 3, 1, 2, 1, -1, PAL},
        {"pal2_adam7.png", "png", 5, 3, 1, 2, 1, -1, PAL | LACE},
        {"pal8_alpha.png", "png", 5, 3, 1, 8, 1, -1, PAL | ALPHA},
        {"ga8.png", "png", 5, 3, 2, 8, 1, -1, ALPHA},
        {"key.png", "png", 5, 3, 3, 8, 1, -1, ALPHA},
        {"animated.png", "png", 5, 3, 3, 8, 1, -1, ANIM},
        {"turn1.png", "png", 5, 3, 3, 8, 1, 1, 0},
        {"turn2.png", "png", 5, 3, 3, 8, 2, 2, 0},
        {"turn5.png", "png", 3, 5, 3, 8, 5, 5, 0},
        {"turn8.png", "png", 3, 5, 3, 8, 8, 8, 0},
        {"cut.png", "png", 5, 3, 3, 8, 1, -1, PART},
        {"no_end.png", "png", 5, 3, 3, 8, 1, -1, PART},
        {"wide_bomb.png", "png", 60000, 60000, 3, 8, 1, -1, 0},
        {"rgb.jpg", "jpeg", 16, 8, 3, 8, 1, -1, 0},
        {"gray.jpg", "jpeg", 16, 8, 1, 8, 1, -1, 0},
        {"progressive.jpg", "jpeg", 16, 8, 3, 8, 1, -1, LACE},
        {"cmyk.jpg", "jpeg", 16, 8, 4, 8, 1, -1, CMYK},
        {"exif_le6.jpg", "jpeg", 16, 8, 3, 8, 6, 6, 0},
        {"exif_be8.jpg", "jpeg", 16, 8, 3, 8, 8, 8, 0},
        {"exif_0.jpg", "jpeg", 16, 8, 3, 8, 1, 0, 0},
        {"exif_65537.jpg", "jpeg", 16, 8, 3, 8, 1, 65537, 0},
        {"exif_broken.jpg", "jpeg", 16, 8, 3, 8, 1, -1, TN_IMAGE_BAD_EXIF},
        {"twelve_bit.jpg", "jpeg", 16, 8, 3, 12, 1, -1, 0},
        {"no_eoi.jpg", "jpeg", 16, 8, 3, 8, 1, -1, 0},
        {"multi.mpo", "jpeg", 16, 8, 3, 8, 1, -1, PAGES},
        {"lossless_alpha.webp", "webp", 5, 3, 4, 8, 1, -1, ALPHA},
        {"lossy.webp", "webp", 16, 8, 3, 8, 1, -1, 0},
        {"exif3.webp", "webp", 5, 3, 3, 8, 3, 3, 0},
        {"animated.webp", "webp", 16, 8, 3, 8, 1, -1, ANIM},
        {"still.gif", "gif", 5, 3, 1, 8, 1, -1, PAL},
        {"animated.gif", "gif", 5, 3, 1, 8, 1, -1, PAL | ALPHA | ANIM},
        {"cut.gif", "gif", 5, 3, 1, 8, 1, -1, PAL | PART},
        {"le.tif", "tiff", 5, 3, 1, 8, 1, -1, 0},
        {"be_turn7.tif", "tiff", 5, 3, 1, 8, 7, 7, 0},
        {"pages.tif", "tiff", 5, 3, 1, 8, 1, -1, PAGES},
        {"big.tif", "tiff", 5, 3, 1, 8, 1, -1, 0},
        {"big_be.tif", "tiff", 5, 3, 1, 8, 1, -1, PAL},
        {"rgb24.bmp", "bmp", 5, 3, 3, 8, 1, -1, 0},
        {"down24.bmp", "bmp", 5, 3, 3, 8, 1, -1, 0},
        {"core8.bmp", "bmp", 5, 3, 1, 8, 1, -1, PAL},
        {"pal1.bmp", "bmp", 5, 3, 1, 1, 1, -1, PAL},
        {"bits16.bmp", "bmp", 5, 3, 3, 6, 1, -1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const row *r = &rows[i];
        char path[512];
        (void)snprintf(path, sizeof path, "%s/images/%s", TEST_FIXTURES,
                       r->name);
        if (tn_image_info_read(&info, path, 0, NULL, &err) != TN_OK)
            fail_msg("%s: %s", r->name, err.message);
        if (strcmp(info.format, r->format) != 0 || info.width != r->width ||
            info.height != r->height || info.channels != r->channels ||
            info.bits != r->bits || info.orientation != r->orientation ||
            info.orientation_tag != r->tag || info.flags != r->flags)
            fail_msg("%s: %s %lld x %lld, %d x %d bits, orientation %d (%d), "
                     "flags %x",
                     r->name, info.format, (long long)info.width,
                     (long long)info.height, (int)info.channels, (int)info.bits,
                     (int)info.orientation, (int)info.orientation_tag,
                     info.flags);
        stepwise(r->name, path);
    }
}

static void broken_headers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        tn_status status;
        const char *message;
    } rows[] = {
        {"cut.tif", TN_EFORMAT, "the file ends at byte 30"},
        {"no_size.tif", TN_EFORMAT, "0 x 3 pixels"},
        {"no_palette.png", TN_EFORMAT, "no PLTE"},
        {"iphone.png", TN_EUNSUPPORTED, "iPhone"},
        {"dnl.jpg", TN_EUNSUPPORTED, "DNL"},
        {"masks_overlap.bmp", TN_EFORMAT, "overlaps"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/images/%s", TEST_FIXTURES,
                       rows[i].name);
        const tn_status status = tn_image_info_read(&info, path, 0, NULL, &err);
        if (status != rows[i].status ||
            strstr(err.message, rows[i].message) == NULL)
            fail_msg("%s: %s '%s'", rows[i].name, tn_status_name(status),
                     err.message);
        assert_non_null(strstr(err.where, rows[i].name));
    }
    assert_int_equal(tn_image_info_read(&info, "no/such.png", 0, NULL, &err),
                     TN_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_gif),   cmocka_unit_test(asks_for_more),
        cmocka_unit_test(not_images),     cmocka_unit_test(fixtures),
        cmocka_unit_test(broken_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
