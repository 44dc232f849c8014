"""Pictures in memory: the data sets' loaders, rendered stand-ins, and somebody's own."""
