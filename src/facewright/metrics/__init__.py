"""Numbers about generated images."""
