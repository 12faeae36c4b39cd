"""Documents for the developers of dealers' systems, made from the same models as the server."""
