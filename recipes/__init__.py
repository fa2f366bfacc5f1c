"""Runs a person would start: one file each, with what it costs and what it gives."""
