"""`inv watch`: every save is built and shipped, one ship at a time, the newest one wins."""
