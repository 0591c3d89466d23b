head -c 3000 $TOP/examples/digits-pytorch/model.onnx >t.onnx; tenon inspect t.onnx
