"""One explicit Config per profile of each data set."""
