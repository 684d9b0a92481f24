"""The pages behind the login: the library of whoever logged in, and the administrators' pages."""
