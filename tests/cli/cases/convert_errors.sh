. "$TOP/tests/cli/cases/dataset.inc"
tenon convert x.json x.json --to coco --overwrite; echo $?
mkdir full; touch full/file
tenon convert x.json full --to coco; echo $?
tenon convert x.json y --to cocco; echo $?
tenon convert x.json y --to yolo:sgement; echo $?
tenon convert x.json y; echo $?
tenon convert x.json y --to yolo --images move; echo $?
tenon convert x.json y --to yolo --allow-loss everything; echo $?
tenon stats none.json; echo $?
echo "{\"images\": [{\"id\": 1}]" >cut.json; tenon stats cut.json --from coco; echo $?
ls
