#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""minimax.py - derive the polynomials of src/kernels/simd/vmath.h

A fit minimises the largest relative error over Chebyshev nodes by Lawson's
iteratively reweighted least squares; a rational one is linearised with the
last denominator as weight (Sanathanan and Koerner). Coefficients are rounded
to float from the lowest power up, refitting those that remain, so that later
ones make up for the rounding of earlier ones. Needs numpy.
"""
import math
import numpy as np

N = 4000


def nodes(lo, hi):
    k = (np.arange(N) + 0.5) * np.pi / N
    return (lo + hi) / 2 + (hi - lo) / 2 * np.cos(k)


def lawson(a, b, rounds=60):
    """Least squares with weights raised where the error is largest."""
    w = np.ones(len(b))
    best, best_err = None, math.inf
    for _ in range(rounds):
        scale = np.abs(a).max(axis=0)
        c, *_ = np.linalg.lstsq(a / scale * w[:, None], b * w, rcond=None)
        c = c / scale
        e = np.abs(a @ c - b)
        if e.max() < best_err:
            best, best_err = c, e.max()
        w = np.sqrt(w * w * (e + 1e-30))
        w /= w.max()
        w = np.maximum(w, 1e-6)
    return best, best_err


def polynomial(name, f, factor, offset, lo, hi, degree):
    """offset(x) + factor(x) * p(x) ~ f(x); prints p's coefficients."""
    x = nodes(lo, hi)
    fx = f(x)
    basis = np.stack([factor(x) * x**i / fx for i in range(degree + 1)], 1)
    rest = (fx - offset(x)) / fx
    fixed = []
    for i in range(degree + 1):
        c, err = lawson(basis[:, i:], rest)
        fixed.append(float(np.float32(c[0])))
        rest = rest - basis[:, i] * fixed[-1]
    err = np.abs(rest).max()
    print(f"{name}: relative error {err:.2e}")
    for i, c in enumerate(fixed):
        print(f"    c{i} = {c.hex()}f  {c:.9g}")


def rational(name, f, lo, hi, n, m):
    """f(x) ~ x * p(x^2) / q(x^2), q(0) = 1."""
    x = nodes(lo, hi)
    z, fx = x * x, f(x)
    q = np.ones(len(x))
    best = None
    for _ in range(60):
        cols = [x * z**i / fx / q for i in range(n + 1)]
        cols += [-(z**i) / q for i in range(1, m + 1)]
        a = np.stack(cols, 1)
        c, _ = lawson(a, 1 / q, 8)
        q = 1 + sum(c[n + i] * z**i for i in range(1, m + 1))
        p = sum(c[i] * z**i for i in range(n + 1))
        err = np.abs(x * p / q / fx - 1).max()
        if best is None or err < best[0]:
            best = (err, c)
    c = best[1]
    # Round the denominator, then refit the numerator from the lowest power up.
    qc = [1.0] + [float(np.float32(v)) for v in c[n + 1:]]
    q = sum(v * z**i for i, v in enumerate(qc))
    basis = np.stack([x * z**i / fx / q for i in range(n + 1)], 1)
    rest = np.ones(len(x))
    pc = []
    for i in range(n + 1):
        d, _ = lawson(basis[:, i:], rest)
        pc.append(float(np.float32(d[0])))
        rest = rest - basis[:, i] * pc[-1]
    print(f"{name}: relative error {best[0]:.2e}, rounded {np.abs(rest).max():.2e}")
    for i, v in enumerate(pc):
        print(f"    p{i} = {v.hex()}f  {v:.9g}")
    for i, v in enumerate(qc):
        print(f"    q{i} = {v.hex()}f  {v:.9g}")


def main():
    h = 0.5 * math.log(2) * 1.0001
    # exp(r) = 1 + r + r^2 p(r)
    polynomial("exp", np.exp, lambda r: r * r, lambda r: 1 + r, -h, h, 4)
    # log(1 + f) = f - f^2/2 + f^3 p(f), f in [sqrt(1/2) - 1, sqrt(2) - 1]
    polynomial("log", np.log1p, lambda f: f**3, lambda f: f - f * f / 2,
               math.sqrt(0.5) - 1, math.sqrt(2) - 1, 8)
    # log(1 + e) = e - e^2 p(e), e in [0, 1]
    polynomial("log1p", np.log1p, lambda e: -e * e, lambda e: e, 1e-6, 1, 10)
    erf = np.vectorize(math.erf)
    rational("erf", erf, 1e-4, 3.925, 5, 5)
    rational("tanh", np.tanh, 1e-4, 9.02, 4, 4)


if __name__ == "__main__":
    main()
