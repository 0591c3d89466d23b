# SPDX-License-Identifier: Apache-2.0
"""train.py - a small residual CNN in PyTorch that reads handwritten digits.

Train, export to ONNX, and keep PyTorch's own answers for `tenon verify`.
About ten seconds on one core:

    pip install -r requirements.txt
    python train.py
"""

import os
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from answers import (save_answers, save_labels, save_sample,  # noqa: E402
                     second_opinion, tidy)

torch.manual_seed(7)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

# 1. The data: 1,797 images of 8 x 8 pixels, grey levels 0 to 16.
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
train_x, test_x, train_y, test_y = train_test_split(
    images, labels, test_size=360, random_state=7, stratify=labels)


# 2. The model: what an ordinary vision network has, in small.
class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, channels):
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu(x + self.path(x))


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1, bias=False),
            nn.BatchNorm2d(24), nn.ReLU(),
            Block(24), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 1), nn.SiLU(),
            nn.Conv2d(48, 48, 3, padding=1, groups=48), nn.Hardswish(),
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.2))
        self.classify = nn.Linear(48 * 2 * 2, 10)

    def forward(self, image):
        logits = self.classify(self.features(image))
        return logits, torch.softmax(logits, dim=1)


# 3. Train it.
model = Digits()
optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
data = torch.utils.data.TensorDataset(torch.from_numpy(train_x),
                                      torch.from_numpy(train_y))
loader = torch.utils.data.DataLoader(data, batch_size=64, shuffle=True)
for epoch in range(15):
    model.train()
    total = 0.0
    for x, y in loader:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x)[0], y)
        loss.backward()
        optimiser.step()
        total += loss.item() * len(x)
    print(f"epoch {epoch + 1:2d}   loss {total / len(data):.4f}")

# 4. Ask it about images that it has not seen.
model.eval()


def predict(x):
    with torch.inference_mode():
        return tuple(t.numpy() for t in model(torch.from_numpy(x)))


logits, probability = predict(test_x)
right = probability.argmax(1) == test_y
print(f"accuracy on {len(test_y)} unseen images: {100 * right.mean():.2f} %")

# 5. Export. The batch stays free: 1 image or 1,000.
path = os.path.join(HERE, "model.onnx")
torch.onnx.export(
    model, (torch.from_numpy(test_x[:2]),), path,
    input_names=["image"], output_names=["logits", "probability"],
    dynamic_shapes={"image": {0: torch.export.Dim("batch")}},
    dynamo=True, external_data=False, verbose=False)
tidy(path)

# 6. Keep PyTorch's answers: one image, eight, and thirty-two.
cases = []
for rows in (slice(0, 1), slice(1, 9), slice(9, 41)):
    x = test_x[rows]
    cases.append(({"image": x},
                  dict(zip(("logits", "probability"), predict(x)))))
save_answers(HERE, cases)

# 7. Samples for `tenon run`, and as pictures for the eye: the most typical
#    image of each digit, and the one that the model is least sure about.
SHADES = " .:-=+*#%@"
samples = {"unsure": test_x[probability.max(1).argmin()]}
for digit in range(10):
    same = test_x[test_y == digit]
    away = np.square(same - same.mean(0)).sum((1, 2, 3))
    samples[f"digit_{digit}"] = same[away.argmin()]
for name, x in samples.items():
    save_sample(HERE, name, x[None])
    with open(os.path.join(HERE, "samples", name + ".txt"), "w") as f:
        for row in x[0]:
            f.write("".join(2 * SHADES[round(9 * float(v))] for v in row)
                    .rstrip() + "\n")
save_labels(HERE, range(10))

print("ONNX Runtime differs from PyTorch by at most",
      ", ".join(f"{v:.2g} ({k})" for k, v in second_opinion(HERE).items()))
