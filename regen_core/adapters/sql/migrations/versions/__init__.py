"""The steps, by the version that they lead to."""
