"""The two players."""
