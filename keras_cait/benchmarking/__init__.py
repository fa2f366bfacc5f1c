"""Speed of models on this machine: inference in every runtime, and training steps."""
