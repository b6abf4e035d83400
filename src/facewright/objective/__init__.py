"""What both players minimise: games, penalties, techniques, discriminator inputs, two losses."""
