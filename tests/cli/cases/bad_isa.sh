tenon run $TOP/examples/wine-sklearn/model.onnx --isa mmx
