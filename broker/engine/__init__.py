"""The engine: one writer per call, the posts, the proofs; it knows only ports."""
