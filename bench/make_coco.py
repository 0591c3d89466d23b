#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a COCO file of train2017's shape: make_coco.py OUT [IMAGES [ANNOTATIONS]]

118,287 images and 860,001 annotations with polygons unless said otherwise; the
same numbers give the same bytes.
"""
import random
import sys

out = sys.argv[1]
n_images = int(sys.argv[2]) if len(sys.argv) > 2 else 118287
n_anns = int(sys.argv[3]) if len(sys.argv) > 3 else 860001
rng = random.Random(1)
with open(out, "w", encoding="ascii") as f:
    f.write('{"info": {"description": "made up"},"licenses": [{"id": 1,"name": "x"}],'
            '"images": [')
    for i in range(n_images):
        f.write('%s{"license": 1,"file_name": "%012d.jpg","coco_url": '
                '"http://images.example.org/train2017/%012d.jpg","height": 480,'
                '"width": 640,"date_captured": "2013-11-14 11:18:45","flickr_url": '
                '"http://farm.example.org/%d_z.jpg","id": %d}'
                % ("," if i else "", i + 9, i + 9, rng.randrange(10**10), i + 9))
    f.write('],"annotations": [')
    for k in range(n_anns):
        x, y = rng.uniform(0, 500), rng.uniform(0, 400)
        w, h = rng.uniform(2, 639 - x), rng.uniform(2, 479 - y)
        pts = []
        for _ in range(max(3, int(rng.expovariate(1 / 24.7)))):
            pts.append("%.2f,%.2f" % (x + rng.random() * w, y + rng.random() * h))
        f.write('%s{"segmentation": [[%s]],"area": %.13f,"iscrowd": 0,"image_id": %d,'
                '"bbox": [%.2f,%.2f,%.2f,%.2f],"category_id": %d,"id": %d}'
                % ("," if k else "", ",".join(pts), w * h * 0.6,
                   rng.randrange(n_images) + 9, x, y, w, h, rng.randrange(80) + 1,
                   k + 1768))
    f.write('],"categories": [%s]}' % ",".join(
        '{"supercategory": "s","id": %d,"name": "class %d"}' % (i + 1, i + 1)
        for i in range(80)))
