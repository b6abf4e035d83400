"""Distorting images by chance before the discriminator sees them."""
