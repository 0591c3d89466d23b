printf "hello, world\n" >x.onnx; tenon inspect x.onnx
