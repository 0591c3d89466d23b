/* SPDX-License-Identifier: Apache-2.0 */
/* endian.h - integers out of bytes of either order, at any alignment */
#ifndef TN_SRC_IMAGE_ENDIAN_H
#define TN_SRC_IMAGE_ENDIAN_H

#include <stdint.h>

static inline uint32_t tni_le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t tni_le24(const uint8_t *p)
{
    return tni_le16(p) | (uint32_t)p[2] << 16;
}

static inline uint32_t tni_le32(const uint8_t *p)
{
    return tni_le16(p) | tni_le16(p + 2) << 16;
}

static inline uint64_t tni_le64(const uint8_t *p)
{
    return (uint64_t)tni_le32(p) | (uint64_t)tni_le32(p + 4) << 32;
}

static inline uint32_t tni_be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | (uint32_t)p[1];
}

static inline uint32_t tni_be32(const uint8_t *p)
{
    return tni_be16(p) << 16 | tni_be16(p + 2);
}

static inline uint64_t tni_be64(const uint8_t *p)
{
    return (uint64_t)tni_be32(p) << 32 | (uint64_t)tni_be32(p + 4);
}

#endif
