tenon bench $TOP/examples/wine-sklearn/model.onnx --seconds 0.05 --threads 1 --json
