"""The command that serves a page: its server, and the page of a model."""
