# SPDX-License-Identifier: Apache-2.0
"""train.py - boosted trees from XGBoost, with some measurements missing.

Thirty measurements of cell nuclei, benign or malignant. XGBoost learns a
default direction for a missing value at every split, so a tenth of the cells
are made empty on purpose: the exported trees must take the same turns.
Seconds:

    pip install -r requirements.txt
    python train.py
"""

import os
import sys

import numpy as np
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from answers import (save_answers, save_labels, save_sample,  # noqa: E402
                     second_opinion, tidy)

# 1. The data: 569 samples.
data = load_breast_cancer()
x = data.data.astype(np.float32)
x[np.random.default_rng(7).random(x.shape) < 0.1] = np.nan
train_x, test_x, train_y, test_y = train_test_split(
    x, data.target, test_size=120, random_state=7, stratify=data.target)

# 2. The model.
model = XGBClassifier(n_estimators=100, max_depth=4, learning_rate=0.2,
                      n_jobs=1, random_state=7)
model.fit(train_x, train_y)
print(f"accuracy on {len(test_y)} unseen samples: "
      f"{100 * model.score(test_x, test_y):.2f} %")

# 3. Export.
path = os.path.join(HERE, "model.onnx")
onnx_model = convert_xgboost(
    model, initial_types=[("measurements", FloatTensorType([None, 30]))],
    target_opset=15)
with open(path, "wb") as f:
    f.write(onnx_model.SerializeToString())
tidy(path)

# 4. Keep XGBoost's answers.
cases = [({"measurements": test_x[r]},
          {"label": model.predict(test_x[r]).astype(np.int64),
           "probabilities": model.predict_proba(test_x[r])})
         for r in (slice(0, 1), slice(1, 9), slice(9, 120))]
save_answers(HERE, cases)

# 5. One sample of each kind for `tenon run`.
for i, name in enumerate(data.target_names):
    row = test_x[np.flatnonzero(test_y == i)[0]]
    save_sample(HERE, str(name), row[None])
    with open(os.path.join(HERE, "samples", f"{name}.txt"), "w") as f:
        for what, value in zip(data.feature_names, row):
            f.write(f"{what:24s} "
                    f"{'missing' if np.isnan(value) else f'{value:g}'}\n")
save_labels(HERE, data.target_names)

print("ONNX Runtime differs from XGBoost by at most",
      ", ".join(f"{v:.2g} ({k})" for k, v in second_opinion(HERE).items()))
