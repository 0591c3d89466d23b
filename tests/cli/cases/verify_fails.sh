cp -r $TOP/examples/digits-pytorch/cases .
cp cases/test_data_set_1/output_0.pb cases/test_data_set_0/output_0.pb
tenon verify $TOP/examples/digits-pytorch/model.onnx cases
