# The port file, SIGTERM while ready, one while nothing is loaded, exit 0.
m=$TOP/examples/digits-pytorch/model.onnx
"$TENON" serve d="$m" --port 0 --port-file port --drain-delay 0.1 >s.out 2>s.err &
for _ in $(seq 200); do [ -s port ] && grep -q curl s.out && break; sleep 0.05; done
head -c 60 <(cat port) | tr -d 0-9
kill -TERM $!
wait $!
echo "exit $?"
grep -c 'serving REST and gRPC at http://127.0.0.1:'"$(cat port)" s.out
grep -c 'finishing: not ready any more' s.err
mkdir empty
rm port
"$TENON" serve empty --reload explicit --port 0 --port-file port --drain-delay 60 \
    --log-format json >s.out 2>s.err &
for _ in $(seq 200); do [ -s port ] && grep -q curl s.out && break; sleep 0.05; done
kill -INT $!
sleep 0.2
kill -INT $! # stops at once
wait $!
echo "exit $?"
grep -c '^{"time":"20..-..-..T..:..:.*Z","level":"info","event":"server.start","host":"127.0.0.1"' s.err
