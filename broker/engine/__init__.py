"""What the broker does: accounts, access, bookings and calls. Asynchronous; it knows only ports."""
