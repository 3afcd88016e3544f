"""The views, one module per noun: they check the input, call the functions that the pages call, and show the result."""
