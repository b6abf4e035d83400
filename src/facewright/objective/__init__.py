"""What the two players want: games, penalties, techniques, and what the discriminator is shown."""
