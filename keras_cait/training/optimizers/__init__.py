"""The papers' optimizers, learning-rate schedules and weight averages."""
