"""Training of models: runs, settings, optimizers, teachers, devices, checkpoints."""
