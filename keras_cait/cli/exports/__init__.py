"""The command that exports a model: its flags, and the exporter of each format."""
