TN_CPU=ref tenon version
