"""Why somebody was refused or gets in, and what an application receives, for programs."""
