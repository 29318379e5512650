"""The data dictionary of a release: what every table and column is, where it comes from and how fresh it is."""
