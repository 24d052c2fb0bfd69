"""Synthetic people, in their own process: bots for the demo, for check-call and for the flow tests.

They speak the public protocol like any page, import nothing of the broker but
`protocol` and `text`, and are the only part of it that encodes or decodes media.
"""
