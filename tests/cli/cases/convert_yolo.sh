. "$TOP/tests/cli/cases/dataset.inc"
tenon convert x.json yolo-out --to yolo --allow-loss all >log && cat yolo-out/data.yaml yolo-out/unsplit.txt yolo-out/labels/unsplit/a.txt
tenon convert yolo-out back.json --to coco >log2 && tenon convert back.json again.json --to coco >log2 && cmp back.json again.json
tenon convert x.json same.json --to coco >log2 && cmp same.json again.json && echo the same
ls -A
