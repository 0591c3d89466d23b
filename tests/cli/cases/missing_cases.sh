tenon verify $TOP/examples/digits-pytorch/model.onnx nowhere
