"""Settings of a training run, their presets and the command line."""
