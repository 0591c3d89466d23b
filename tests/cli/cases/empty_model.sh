: >empty.onnx; tenon inspect empty.onnx
