tenon run $TOP/examples/digits-pytorch/model.onnx --precision bf16 --exact
