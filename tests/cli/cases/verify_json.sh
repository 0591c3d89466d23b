tenon verify $TOP/examples/wine-sklearn/model.onnx $TOP/examples/wine-sklearn/cases --json
