. "$TOP/tests/cli/cases/dataset.inc"
tenon convert x.json yolo-out --to yolo:detect --dry-run --json | python3 -c "import json,sys; d=json.load(sys.stdin); print(d[\"written\"], sorted((l[\"code\"],l[\"count\"]) for l in d[\"losses\"]))"
[ ! -e yolo-out ]
