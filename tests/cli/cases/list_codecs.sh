tenon list codecs
