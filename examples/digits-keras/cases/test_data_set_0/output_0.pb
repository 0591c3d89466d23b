
BprobabilityJ(óÛí9n\¸;d5;Uój>Q-»9qlþ;¡g8mŸ¡>	M;c‹Ý>