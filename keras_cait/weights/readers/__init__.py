"""Readers of checkpoint files, one a format, and of the Hugging Face hub."""
