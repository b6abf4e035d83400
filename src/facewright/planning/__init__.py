"""Before a run: which recipe, how many images, how long, how good, from what was measured."""
