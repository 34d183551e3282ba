"""What is seen in a browser: the report of a run."""
