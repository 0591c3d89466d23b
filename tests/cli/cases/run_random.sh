tenon run $TOP/examples/digits-pytorch/model.onnx --random 7 2>/dev/null >a; tenon run $TOP/examples/digits-pytorch/model.onnx --random 7 --threads 1 2>/dev/null >b; cmp a b && cat a
