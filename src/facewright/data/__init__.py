"""From real photographs to a training store."""
