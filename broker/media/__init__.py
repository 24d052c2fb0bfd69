"""The relay: it forwards encoded packets between endpoints along plans, and never decodes."""
