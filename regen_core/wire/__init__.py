"""Zuora's JSON and requests to values and back; every fault says where, what was found and what to do."""
