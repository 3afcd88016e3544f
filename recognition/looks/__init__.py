"""Look search: what photos look like, by body pose and colors; which ones look like a picture; off unless switched on."""
