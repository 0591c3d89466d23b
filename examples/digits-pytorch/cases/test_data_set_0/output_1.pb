
BprobabilityJ(6^g7ïüQ:ÓŠp=ƒZo> "½7©m‚9wB,2–«Í>Êß7îœ>