tenon serve digits=$TOP/examples/digits-pytorch/model.onnx --check --port 0
