/* SPDX-License-Identifier: Apache-2.0 */
/* decoded.h - a decoded image, and giving raw pixels the form asked for */
#ifndef TN_SRC_IMAGE_DECODED_H
#define TN_SRC_IMAGE_DECODED_H

#include "image/codecs/codec.h"

struct tn_image {
    tni_mem mem;
    tn_image_info info;
    tn_image_view view;
    uint8_t *pixels;
    size_t size; /* of pixels */
    uint8_t palette[256][4];
    size_t n_findings;
    tn_image_finding findings[TNI_IMAGE_FINDINGS];
};

/* Channels and bits that `form` makes of raw; TN_EUNSUPPORTED when it cannot. */
tn_status tni_image_form_of(int32_t *channels, int32_t *bits,
                            const tni_image_raw *raw, tn_image_form form,
                            tn_err *err);

/* Whether raw's samples are already what the form asks for. */
bool tni_image_same_layout(const tni_image_raw *raw, tn_image_form form,
                           int32_t channels);

/* Writes row y of raw in that form; `to` has width * channels samples. */
void tni_image_convert_row(void *to, const tni_image_raw *raw, int64_t y,
                           tn_image_form form, int32_t channels);

/*
 * Where row y of the stored image begins when it is put upright into rows of
 * `stride` bytes of pixels of `pixel` bytes, and the step to its next pixel.
 * width and height are those of the stored image.
 */
typedef struct tni_image_turn {
    int64_t origin, step_x, step_y; /* bytes */
} tni_image_turn;

tni_image_turn tni_image_turn_of(int32_t orientation, int64_t width,
                                 int64_t height, size_t pixel);

#endif
