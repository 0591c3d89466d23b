tenon run $TOP/examples/digits-pytorch/model.onnx --random 7 --precision bf16 2>/dev/null
