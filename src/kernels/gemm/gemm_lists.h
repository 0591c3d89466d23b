/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_lists.h - repetition lists of the gemm templates, from VN and MR */
#if VN == 2
#define EACH_V(X, a) X(0, a) X(1, a)
#define EACH_W2(X)   X(0) X(1) X(2) X(3)
#define EACH_W4(X)   X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
#define EACH_V(X, a) X(0, a) X(1, a) X(2, a) X(3, a)
#define EACH_W2(X)   X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define EACH_W4(X)                                                             \
    X(0)                                                                       \
    X(1)                                                                       \
    X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#endif
#if MR == 6
#define EACH_ROW(X)      X(0) X(1) X(2) X(3) X(4) X(5)
#define EACH_ROW_J(X, j) X(0, j) X(1, j) X(2, j) X(3, j) X(4, j) X(5, j)
#else
#define EACH_ROW(X)                                                            \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#define EACH_ROW_J(X, j)                                                       \
    X(0, j)                                                                    \
    X(1, j)                                                                    \
    X(2, j)                                                                    \
    X(3, j) X(4, j) X(5, j) X(6, j) X(7, j) X(8, j) X(9, j) X(10, j) X(11, j)  \
        X(12, j) X(13, j)
#endif
