echo no >m.onnx; tenon serve m.onnx --check --port 0
