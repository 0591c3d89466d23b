tenon verify $TOP/tests/cli/fixtures/zipmap/model.onnx $TOP/tests/cli/fixtures/zipmap
