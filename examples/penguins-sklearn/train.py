# SPDX-License-Identifier: Apache-2.0
"""train.py - which penguin is it? A scikit-learn model that takes text.

The table mixes columns of text (island, sex) with columns of numbers, and
some cells are empty. Each column becomes an input of its own; one-hot
encoding, filling in and scaling happen inside the exported model. Seconds:

    pip install -r requirements.txt
    python train.py
"""

import os
import sys

import numpy as np
from palmerpenguins import load_penguins
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from answers import (save_answers, save_labels, save_sample,  # noqa: E402
                     second_opinion, tidy)

TEXT = ["island", "sex"]
NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm",
           "body_mass_g"]

# 1. The data: 344 penguins of three species from three islands.
table = load_penguins()
table["sex"] = table["sex"].astype(object).where(table["sex"].notna(),
                                                 "unknown")
table["island"] = table["island"].astype(object)
table[NUMBERS] = table[NUMBERS].astype(np.float32)
species = table["species"].to_numpy(dtype=str)
train_x, test_x, train_y, test_y = train_test_split(
    table[TEXT + NUMBERS], species, test_size=84, random_state=7,
    stratify=species)

# 2. The pipeline. All of it is exported: no preprocessing is left to C.
pipeline = make_pipeline(
    ColumnTransformer([
        ("text", OneHotEncoder(handle_unknown="ignore"), TEXT),
        ("numbers", make_pipeline(SimpleImputer(strategy="median"),
                                  StandardScaler()), NUMBERS)]),
    MLPClassifier((16,), alpha=1e-2, max_iter=2000, random_state=7))
pipeline.fit(train_x, train_y)
print(f"accuracy on {len(test_y)} unseen penguins: "
      f"{100 * pipeline.score(test_x, test_y):.2f} %")

# 3. Export: six inputs, text and numbers.
path = os.path.join(HERE, "model.onnx")
onnx_model = to_onnx(
    pipeline,
    initial_types=[(c, StringTensorType([None, 1])) for c in TEXT]
    + [(c, FloatTensorType([None, 1])) for c in NUMBERS],
    target_opset={"": 18, "ai.onnx.ml": 3}, options={"zipmap": False})
with open(path, "wb") as f:
    f.write(onnx_model.SerializeToString())
tidy(path)


# 4. Keep scikit-learn's answers.
def feed(rows):
    return {c: rows[c].to_numpy(dtype=object if c in TEXT else np.float32)
            .reshape(-1, 1) for c in TEXT + NUMBERS}


def predict(rows):
    return {"label": pipeline.predict(rows),
            "probabilities": pipeline.predict_proba(rows).astype(np.float32)}


holes = table[table[NUMBERS].isna().any(axis=1)]
strange = test_x.iloc[:4].copy()
strange["island"] = "Atlantis"  # a category that training never saw
cases = [(feed(r), predict(r)) for r in
         (test_x.iloc[0:1], test_x.iloc[1:9], test_x.iloc[9:84],
          strange, holes)]
save_answers(HERE, cases)

# 5. One bird of each species for `tenon run`, and its note in the field book.
for name in sorted(set(species)):
    row = test_x.iloc[np.flatnonzero(test_y == name)[1:2]]
    note = ""
    for column, value in feed(row).items():
        save_sample(HERE, f"{name.lower()}_{column}", value)
        text = value[0, 0] if column in TEXT else f"{value[0, 0]:g}"
        note += f"{column:20s} {text}\n"
    with open(os.path.join(HERE, "samples", name.lower() + ".txt"), "w") as f:
        f.write(note)
save_labels(HERE, pipeline.classes_)

print("ONNX Runtime differs from scikit-learn by at most",
      ", ".join(f"{v:.2g} ({k})" for k, v in second_opinion(HERE).items()))
