"""The settings of each kind of stage, as forms."""
