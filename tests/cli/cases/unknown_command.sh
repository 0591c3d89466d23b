tenon verfy
