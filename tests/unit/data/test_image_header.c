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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_gif),
        cmocka_unit_test(asks_for_more),
        cmocka_unit_test(not_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
