"""Who hears what by mail, and when."""
