"""Figures, curves, sheets, sliders and the shared page."""
