"""Names that the photos' own data tells, as suggestions: on the cards of the desk, and on a page of each event."""
