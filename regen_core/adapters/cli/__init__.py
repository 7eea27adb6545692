"""The command line ``regen``: it translates options to values and values to text, and decides nothing."""
