"""Forwarders: what carries a packet from a source to its sinks, behind one interface."""
