/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vreduce.h - the order of summation that every ISA shares
 *
 * Element i of a row belongs to lane i % 32, so a row is read in groups of 32
 * / VW vectors, whose partial results are variables of their own (V_EACH of
 * simd_*.h names them: an indexed array would live in memory). Lanes are then
 * joined as j and j + 16, + 8, + 4, + 2, + 1. Included inside a target region
 * after simd_*.h.
 */
#ifndef TN_SRC_KERNELS_VREDUCE_H
#define TN_SRC_KERNELS_VREDUCE_H

TN_INLINE float s_add(float a, float v)
{
    return a + v;
}
TN_INLINE float s_mul(float a, float v)
{
    return a * v;
}
/* a NaN, once seen, stays. */
TN_INLINE float s_max(float a, float v)
{
    return a > v || a != a ? a : v;
}
TN_INLINE float s_min(float a, float v)
{
    return a < v || a != a ? a : v;
}
TN_INLINE vf vn_max(vf a, vf v)
{
    return v_select(v_isnan(a), a, v_max(a, v));
}
TN_INLINE vf vn_min(vf a, vf v)
{
    return v_select(v_isnan(a), a, v_min(a, v));
}

/* The last, incomplete group of a row: its values, then `pad`. */
TN_INLINE void v_pad_group(float *group, const float *x, size_t n, float pad)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW) v_store(group + i, v_load(x + i));
    for (size_t j = i; j < 32; j += VW) v_store(group + j, v_set1(pad));
    if (i < n) v_store_n(group + i, v_load_n(x + i, n - i), n - i);
}

/* Elements [at, at + VW) of a row of n, then `pad`. Nothing goes through memory:
 * a vector read right after its parts were stored waits for them. */
TN_INLINE vf v_load_pad(const float *x, size_t at, size_t n, float pad)
{
    static const float lanes[] = {0, 1, 2,  3,  4,  5,  6,  7,
                                  8, 9, 10, 11, 12, 13, 14, 15};
    if (at + VW <= n) return v_load(x + at);
    if (at >= n) return v_set1(pad);
    const vm in = v_lt(v_load(lanes), v_set1((float)(n - at)));
    return v_select(in, v_load_n(x + at, n - at), v_set1(pad));
}

#define V_ACC_INIT(k, start) vf acc##k = v_set1(start);
#define V_ACC_STEP(k, p, vjoin, term)                                          \
    {                                                                          \
        const vf v = v_load((p) + (k)*VW);                                     \
        acc##k = vjoin(acc##k, term);                                          \
    }
#define V_ACC_TAIL(k, x, n, pad, vjoin, term)                                  \
    {                                                                          \
        const vf v = v_load_pad(x, (k)*VW, n, pad);                            \
        acc##k = vjoin(acc##k, term);                                          \
    }
#define V_ACC_JOIN(r, vjoin, join)                                             \
    {                                                                          \
        float part_[VW];                                                       \
        V_FOLD(vjoin, acc);                                                    \
        v_store(part_, acc0);                                                  \
        for (size_t w_ = VW / 2; w_ >= 1; w_ /= 2)                             \
            for (size_t j_ = 0; j_ < w_; j_++)                                 \
                part_[j_] = join(part_[j_], part_[j_ + w_]);                   \
        (r) = part_[0];                                                        \
    }

/* r = join over i of `term`, an expression of v, the vector of x[i]; joining
 * the term of `pad` changes nothing. */
#define V_REDUCE_ROW(r, x, n, start, pad, vjoin, join, term)                   \
    {                                                                          \
        V_EACH(V_ACC_INIT, start)                                              \
        size_t i_ = 0;                                                         \
        for (; i_ + 32 <= (n); i_ += 32) {                                     \
            V_EACH(V_ACC_STEP, (x) + i_, vjoin, term)                          \
        }                                                                      \
        if (i_ < (n)) {                                                        \
            V_EACH(V_ACC_TAIL, (x) + i_, (n)-i_, pad, vjoin, term)             \
        }                                                                      \
        V_ACC_JOIN(r, vjoin, join)                                             \
    }

#endif
