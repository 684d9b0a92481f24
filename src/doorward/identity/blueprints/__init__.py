"""Objects as files: what a blueprint says is in the database, and what is in the database can be written as one."""
