"""CelebA's aligned faces, from the zip or a folder."""
