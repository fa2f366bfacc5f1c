"""Flags, exit code and loading line of the programs of the command line."""
