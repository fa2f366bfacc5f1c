"""Mean and standard deviation of ImageNet's training images, of each channel."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # red, green, blue in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)
