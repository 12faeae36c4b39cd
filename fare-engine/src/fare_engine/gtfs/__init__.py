"""Import of GTFS feeds."""
