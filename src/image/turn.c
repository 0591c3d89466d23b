/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c - where pixels go when an image is put upright */
#include "image/decoded.h"

/*
 * EXIF says where row 0 and column 0 of the stored image are shown: 1 top
 * left, 2 top right, 3 bottom right, 4 bottom left; 5 to 8 have rows shown as
 * columns: left top, right top, right bottom, left bottom.
 */
tni_image_turn tni_image_turn_of(int32_t orientation, int64_t width,
                                 int64_t height, size_t pixel)
{
    const int64_t p = (int64_t)pixel;
    const bool swap = orientation >= 5;
    const int64_t row = (swap ? height : width) * p; /* of the shown image */
    /* Shown position of stored (x, y): columns first. */
    const bool right = orientation == 2 || orientation == 3 ||
                       orientation == 6 || orientation == 7;
    const bool bottom = orientation == 3 || orientation == 4 ||
                        orientation == 7 || orientation == 8;
    tni_image_turn t;
    const int64_t across = swap ? height : width;
    const int64_t down = swap ? width : height;
    t.origin = (right ? (across - 1) * p : 0) + (bottom ? (down - 1) * row : 0);
    const int64_t step_across = right ? -p : p;
    const int64_t step_down = bottom ? -row : row;
    t.step_x = swap ? step_down : step_across;
    t.step_y = swap ? step_across : step_down;
    return t;
}
