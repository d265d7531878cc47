"""What a file says of its own origin: C2PA manifests and IPTC's DigitalSourceType.

A signal of its own, and never proof: marks can be stripped, copied and, unsigned, written by
anybody.
"""
