/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - a caller's limits with the defaults filled in */
#include "base/limits.h"

#include <string.h>

#define GIB ((uint64_t)1 << 30)

void tni_limits_fill(tn_limits *out, const tn_limits *in)
{
    memset(out, 0, sizeof *out);
    if (in != NULL) {
        const size_t n =
            in->struct_size < sizeof *out ? in->struct_size : sizeof *out;
        memcpy(out, in, n);
    }
    out->struct_size = sizeof *out;
    if (out->max_file_bytes == 0) out->max_file_bytes = 64 * GIB;
    if (out->max_tensor_bytes == 0) out->max_tensor_bytes = 16 * GIB;
    if (out->max_total_bytes == 0) out->max_total_bytes = 64 * GIB;
    if (out->max_nodes == 0) out->max_nodes = 1000000;
    if (out->max_nesting == 0) out->max_nesting = 32;
    if (out->max_rank == 0) out->max_rank = 16;
    if (out->max_name_bytes == 0) out->max_name_bytes = 65536;
    if (out->max_loop_trips == 0) out->max_loop_trips = (uint64_t)1 << 32;
    if (out->max_image_pixels == 0) out->max_image_pixels = (uint64_t)1 << 28;
    /* What recursion on nesting may cost of the stack stays bounded whatever
     * the caller asks for. */
    if (out->max_nesting > 256) out->max_nesting = 256;
}
