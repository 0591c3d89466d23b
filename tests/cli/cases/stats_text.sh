. "$TOP/tests/cli/cases/dataset.inc"
tenon stats x.json
