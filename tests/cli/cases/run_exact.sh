tenon run $TOP/examples/digits-pytorch/model.onnx --random 7 --exact 2>/dev/null
