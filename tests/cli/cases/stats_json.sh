. "$TOP/tests/cli/cases/dataset.inc"
tenon stats x.json --json | python3 -c "import json,sys; d=json.load(sys.stdin); print(d[\"images\"], d[\"annotations\"], d[\"format\"], d[\"classes\"][0], d[\"geometry\"][\"crowd\"])"
