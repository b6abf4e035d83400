"""Everything that photos can come from, each in a file of its own."""
