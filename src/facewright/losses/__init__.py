"""What the two players want."""
