"""What changed since the warehouse was built, so that a run builds that and no more."""
