tenon bench m.onnx --threads many
