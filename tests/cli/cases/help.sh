tenon help && tenon run --help && tenon help verify
