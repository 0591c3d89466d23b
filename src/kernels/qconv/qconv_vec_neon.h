/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_vec_neon.h - what the tiles of 8-bit convolutions add to simd_neon.h */
#define vi_loadu(p)     vld1q_s32(p)
#define vi_storeu(p, v) vst1q_s32(p, v)

TN_INLINE vi vi_dup(const char *p)
{
    int32_t v;
    memcpy(&v, p, sizeof v);
    return vdupq_n_s32(v);
}

#define Q_STORE_ONE(v, r) vi_store_u8(t->y_rs *(r) + y + (v)*VW, c##r##_##v);
#define Q_STORE(r, p)     Q_EACH_V(Q_STORE_ONE, r)
