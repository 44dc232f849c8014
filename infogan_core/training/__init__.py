"""From a Config and pictures to a run on disk."""
