"""A window into the sandbox: one page that shows what is stored and what Revenue holds, and lets people break things.

It is for the people at the machine itself: loopback only, behind a random path, and never on unless it is switched on
or the service runs as a sandbox without configuration. It shows what the rules say and decides nothing.
"""
