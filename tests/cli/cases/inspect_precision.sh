tenon inspect $TOP/examples/digits-pytorch/model.onnx --precision bf16 --isa ref
