"""The sliders."""
