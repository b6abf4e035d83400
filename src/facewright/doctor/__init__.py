"""What is wrong with a training, how sure, since when, and what to do about it."""
