"""A simulated mobile operator: a process of its own that shares no code with the rest of the package.

It sells units on 9 July 2024 in Côte d'Ivoire, loses some on the way, exports what its systems saw, takes credits over
the GSMA Mobile Money API, receives the customers' SMS and mail, and keeps the books that say what really happened.
"""
