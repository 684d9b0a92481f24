"""The programs that are compared, each set up to do the same job."""
