tenon bench $TOP/examples/digits-pytorch/model.onnx --batch 4000 --memory-limit 1
