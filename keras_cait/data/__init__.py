"""Images from a folder or a data set to batches."""
