"""What goes in and what comes out, one module per noun. Inputs and outputs are classes of their own; no models, no writes."""
