tenon bench m.onnx --thread 2
