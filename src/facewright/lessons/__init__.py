"""The theory, one question at a time: each lesson runs its experiment and tests its claims."""
