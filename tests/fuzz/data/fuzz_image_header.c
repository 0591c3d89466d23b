/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_image_header.c - headers, whole and by ever more first bytes */
#include "tenon/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (uint32_t flags = 0; flags <= TN_IMAGE_HEAD_ONLY; flags++) {
        tn_image_info whole = TN_IMAGE_INFO_INIT, parts = TN_IMAGE_INFO_INIT;
        const tn_status status =
            tn_image_probe(&whole, NULL, data, size, 0, flags, NULL);
        size_t need = 0, have = 0;
        tn_status step = TN_OK;
        for (int rounds = 0; rounds < 64; rounds++) {
            have = need;
            /* A block of just that size: nothing beyond may be read. */
            uint8_t *exact = malloc(have + 1);
            memcpy(exact, data, have);
            step =
                tn_image_probe(&parts, &need, exact, have, size, flags, NULL);
            free(exact);
            if (step != TN_OK || need == 0) break;
            if (need <= have || need > size) abort();
        }
        if (step != TN_OK || need == 0)
            if (step != status) abort();
        /* Of a part it may be known only that more follows the pixels; what
         * the whole says of that is all that may differ. */
        if (flags != 0 && (parts.flags & TN_IMAGE_PARTIAL) != 0 &&
            (whole.flags & TN_IMAGE_PARTIAL) == 0) {
            whole.flags &= ~(uint32_t)TN_IMAGE_BAD_EXIF;
            whole.flags |= TN_IMAGE_PARTIAL;
            whole.orientation = parts.orientation;
            whole.orientation_tag = parts.orientation_tag;
        }
        if (status == TN_OK && need == 0 &&
            memcmp(&whole, &parts, sizeof whole) != 0)
            abort();
        if (status == TN_OK && (whole.width < 1 || whole.height < 1)) abort();
    }
    return 0;
}
