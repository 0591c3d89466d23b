. "$TOP/tests/cli/cases/dataset.inc"
# One file tells a split by its name or not at all.
cp x.json instances_train.json
for to in train.json set_train.json other.json; do
    tenon convert instances_train.json $to --to coco --dry-run
done
