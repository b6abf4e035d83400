"""What a training run leaves behind, and how to read it."""
