m=$TOP/examples/digits-pytorch/model.onnx
TENON_SERVE_CHECK=1 TENON_SERVE_PORT=0 tenon serve d="$m" >s.out || exit 1
grep -c '1 ready' s.out
TENON_SERVE_CHECK=maybe tenon serve d="$m"; echo $?
TENON_SERVE_MAX_BODY=x tenon serve d="$m" --check; echo $?
# Given on the line wins; what Kubernetes says of a service is no port.
TENON_SERVE_MAX_BODY=x TENON_SERVE_PORT=tcp://10.0.0.1:80 TENON_SERVE_STRICT=0 \
    tenon serve d="$m" --check --max-body 1M --port 0 >s.out && grep -c '1 ready' s.out
