"""oauth2-proxy's configuration, read in every form that it has (TOML file, flags, environment, alpha YAML), and turned
into that of ``doorward outpost``.

``written`` gathers what is said, ``known`` says what each option means to us, ``alpha`` reads the structured format,
``translate`` makes our configuration and a note for everything that cannot be the same. What an option has kept shut is
never opened by that: where a rule about who may enter has no equivalent, the result lets nobody in until somebody
decides.
"""
