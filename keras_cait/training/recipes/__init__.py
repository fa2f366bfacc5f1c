"""Settings of the recipes, from the papers and the official code."""
