"""What the administrators' pages know about each kind of identity source: one file for each, one table of them all."""
