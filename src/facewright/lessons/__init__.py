"""The theory, one question at a time: each lesson runs its experiment and judges its claims."""
