tenon run $TOP/examples/wine-sklearn/model.onnx --precision int4
