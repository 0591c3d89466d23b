tenon run $TOP/examples/digits-pytorch/model.onnx imag=x.npy
