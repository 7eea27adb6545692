"""The steps from one schema to the next, one module each; a released step is never changed."""
