"""Who may do what: roles, the rule every view must state, and its enforcement."""
