"""What leaves the machine: a trained generator in one file, and the card that goes with it."""
