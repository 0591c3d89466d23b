# SPDX-License-Identifier: Apache-2.0
"""train.py - Keras reads handwritten digits twice, as images and as strips.

The network has two eyes: a MobileNet-like stack of separable convolutions
(channels last, as TensorFlow likes them) and a bidirectional LSTM that reads
the image row by row. Train, export to ONNX with tf2onnx, and keep Keras's own
answers for `tenon verify`. About a minute on one core:

    pip install -r requirements.txt
    python train.py
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from keras import layers  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from answers import (save_answers, save_labels, save_sample,  # noqa: E402
                     second_opinion, tidy)

keras.utils.set_random_seed(7)
tf.config.experimental.enable_op_determinism()

# 1. The data: 1,797 images of 8 x 8 pixels, grey levels 0 to 16.
images, labels = load_digits(return_X_y=True)
images = (images / 16.0).astype(np.float32).reshape(-1, 8, 8, 1)
train_x, test_x, train_y, test_y = train_test_split(
    images, labels, test_size=360, random_state=7, stratify=labels)


# 2. The model.
def separable(x, channels, stride):
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same",
                               use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu6")(x)
    x = layers.Conv2D(channels, 1, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("silu")(x)


image = keras.Input((8, 8, 1), name="image")
a = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
a = separable(a, 32, 1)
a = separable(a, 48, 2)
a = layers.GlobalAveragePooling2D()(a)
b = layers.Reshape((8, 8))(image)
b = layers.Bidirectional(layers.LSTM(16))(b)
x = layers.Concatenate()([a, b])
x = layers.Dropout(0.2)(x)
x = layers.Dense(32, activation="tanh")(x)
probability = layers.Dense(10, activation="softmax", name="probability")(x)
model = keras.Model(image, probability)

# 3. Train it.
model.compile("adam", "sparse_categorical_crossentropy",
              metrics=["accuracy"])
model.fit(train_x, train_y, batch_size=32, epochs=20, verbose=2)

# 4. Ask it about images that it has not seen.
answer = model.predict(test_x, verbose=0)
right = answer.argmax(1) == test_y
print(f"accuracy on {len(test_y)} unseen images: {100 * right.mean():.2f} %")

# 5. Export. The batch stays free: 1 image or 1,000.
path = os.path.join(HERE, "model.onnx")


@tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32,
                                            name="image")])
def serve(image):
    return {"probability": model(image, training=False)}


tf2onnx.convert.from_function(serve, serve.input_signature, opset=18,
                              output_path=path)
tidy(path)

# 6. Keep Keras's answers: one image, eight, and thirty-two.
cases = []
for rows in (slice(0, 1), slice(1, 9), slice(9, 41)):
    x = test_x[rows]
    y = model(x, training=False).numpy()
    cases.append(({"image": x}, {"probability": y}))
save_answers(HERE, cases)

# 7. Samples for `tenon run`, and as pictures for the eye: the most typical
#    image of each digit, and the one that the model is least sure about.
SHADES = " .:-=+*#%@"
samples = {"unsure": test_x[answer.max(1).argmin()]}
for digit in range(10):
    same = test_x[test_y == digit]
    away = np.square(same - same.mean(0)).sum((1, 2, 3))
    samples[f"digit_{digit}"] = same[away.argmin()]
for name, x in samples.items():
    save_sample(HERE, name, x[None])
    with open(os.path.join(HERE, "samples", name + ".txt"), "w") as f:
        for row in x[:, :, 0]:
            f.write("".join(2 * SHADES[round(9 * float(v))] for v in row)
                    .rstrip() + "\n")
save_labels(HERE, range(10))

print("ONNX Runtime differs from Keras by at most",
      ", ".join(f"{v:.2g} ({k})" for k, v in second_opinion(HERE).items()))
