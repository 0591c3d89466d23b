tenon run $TOP/examples/digits-pytorch/model.onnx --random 1 -o a/b/c >/dev/null && ls a/b/c | wc -l
touch file; tenon run $TOP/examples/digits-pytorch/model.onnx --random 1 -o file/x || echo "exit $?"
