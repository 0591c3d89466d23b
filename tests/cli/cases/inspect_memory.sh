tenon inspect $TOP/examples/digits-pytorch/model.onnx
