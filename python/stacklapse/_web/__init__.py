"""What the integrations of web frameworks share. Its names may change: the frameworks' modules are what is meant to be
used."""
