"""Releases: what readers open. Built in private, audited, published whole."""
