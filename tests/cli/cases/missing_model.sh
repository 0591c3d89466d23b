tenon inspect nowhere.onnx
