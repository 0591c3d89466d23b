# SPDX-License-Identifier: Apache-2.0
"""outputs.py - do two sides answer the same?"""

import os

import numpy as np

TOLERANCE = 1e-3  # of the largest output


def save_inputs(feed, folder):
    """Writes every input as .npy; their paths by name."""
    files = {}
    for i, (name, value) in enumerate(feed.items()):
        files[name] = os.path.join(folder, f"input_{i}.npy")
        np.save(files[name], value)
    return files


def _difference(name, got, want):
    """Largest difference relative to the output's size, or a complaint."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return None, (f"{name} is {got.dtype}{list(got.shape)}, not "
                      f"{want.dtype}{list(want.shape)}")
    if want.dtype.kind not in "fc":
        same = np.array_equal(got, want)
        return 0.0, None if same else f"{name}: integers differ"
    got, want = got.astype(np.float64), want.astype(np.float64)
    ordinary = np.isfinite(want)
    if not np.array_equal(ordinary, np.isfinite(got)):
        return None, f"{name}: infinite or not a number at other places"
    if not ordinary.any():
        return 0.0, None
    got, want = got[ordinary], want[ordinary]
    size = float(np.abs(want).max()) or 1.0
    return float(np.abs(got - want).max()) / size, None


def compare(got, want, tolerance=TOLERANCE):
    """Files of two sides' outputs: the largest difference, or a complaint."""
    worst = 0.0
    for name, path in want.items():
        if path is None:  # a map or a sequence: no file
            continue
        if not got.get(name):
            return worst, f"{name} is missing"
        one, wrong = _difference(name, np.load(got[name]), np.load(path))
        if wrong:
            return worst, wrong
        worst = max(worst, one)
    if worst > tolerance:
        return worst, f"differs by {worst:.1e} of the output's size"
    return worst, None
