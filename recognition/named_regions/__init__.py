"""Names that other programs wrote into photos: read on request, placed on the oriented photo, matched to its faces."""
