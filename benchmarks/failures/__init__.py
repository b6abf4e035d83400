"""Trainings that fail on purpose, and what the doctor says of them."""
