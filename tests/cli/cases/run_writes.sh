tenon run $TOP/examples/digits-pytorch/model.onnx --random 1 -o out/ 2>/dev/null >/dev/null; ls out | wc -l; ls -a out | grep -c "\.tmp" || true
