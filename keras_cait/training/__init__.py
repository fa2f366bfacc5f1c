"""What a run needs besides the model: settings, schedule, progress, results."""
