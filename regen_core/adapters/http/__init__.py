"""The operation over HTTP: tokens, limits, answers in Zuora's shape, and the server around them; no rule lives here."""
