mkdir d; tenon run d
