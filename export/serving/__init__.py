"""What runs an exported SavedModel in TensorFlow Serving, and asks it."""
