"""Image decoding, resizing, cropping and the evaluation transform."""
