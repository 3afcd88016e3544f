"""Pages of recognition, one module per noun: parse, call one function, render."""
