. "$TOP/tests/cli/cases/dataset.inc"
tenon convert x.json yolo-out --to yolo
code=$?
[ -e yolo-out ] && echo "something was written"
exit $code
