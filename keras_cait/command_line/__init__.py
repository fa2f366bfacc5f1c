"""Flags, target files and exit code of the programs of the command line."""
