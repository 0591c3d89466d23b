tenon verify $TOP/examples/digits-pytorch/model.onnx $TOP/examples/digits-pytorch/cases --rtol 0 --atol 0
