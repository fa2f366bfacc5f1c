"""Class names and classifier heads."""
