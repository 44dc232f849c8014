"""Strict papermill runs, several at a time."""
