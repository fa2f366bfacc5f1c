"""What every program of the command line has: its flags, and its exit code."""
