tenon list formats
