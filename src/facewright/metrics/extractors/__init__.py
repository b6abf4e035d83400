"""Networks that turn images into features, each with an identity."""
