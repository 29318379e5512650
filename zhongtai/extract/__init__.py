"""Rows out of databases and interfaces into the silos' folders, where they land as any other file."""
