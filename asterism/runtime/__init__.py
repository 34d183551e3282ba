"""Where all parts meet: the run folder, checkpoints, progress, and the loops."""
