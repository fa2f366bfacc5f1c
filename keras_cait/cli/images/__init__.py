"""Commands on images of a person: their classes, and the attention to them."""
