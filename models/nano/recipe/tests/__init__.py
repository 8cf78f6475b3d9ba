"""Fast tests of the recipe: python3 -m unittest discover -t . -s tests, in the recipe folder."""
