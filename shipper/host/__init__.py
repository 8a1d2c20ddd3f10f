"""The server, seen from here: the connection, host keys, what can go wrong on the way, and the talk with the agent."""
