"""Records and the boards rendered from them; the package ships the published figures alone."""
