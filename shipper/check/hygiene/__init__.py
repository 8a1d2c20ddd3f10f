"""What must not leave this machine through git: what is looked at, and what is said of it."""
