"""Publishing of a run: its model card, and the upload to the Hugging Face hub."""
