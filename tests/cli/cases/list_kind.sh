tenon list op
