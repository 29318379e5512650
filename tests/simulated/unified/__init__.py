"""What every unified table must hold of the simulated company, in pandas from the silos' files; a module a family."""
