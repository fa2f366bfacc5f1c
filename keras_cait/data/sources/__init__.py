"""Data sets: digits, folders of images and TensorFlow Datasets."""
