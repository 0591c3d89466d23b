m=$TOP/examples/digits-pytorch/model.onnx
echo short >token
for a in '--port 70000' '--max-body 0' '--control maybe' '--tls-key k.pem' \
    '--tls-only' '--exact --precision bf16' '--reload watch --load digits' \
    '--token-file none' '--token-file token' '--log-level loud' \
    '--read-timeout 0'; do
    # shellcheck disable=SC2086
    tenon serve "$m" --check $a
    echo "$a: $?"
done
tenon serve b?d="$m" --check; echo $?
tenon serve d="$TOP/examples" --check --port 0 2>/dev/null; echo $?
tenon serve; echo $?
