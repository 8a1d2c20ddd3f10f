"""The practice server: a container with systemd, sshd, nginx and sudo that is shipped to like a real server.

`state` knows where it is (without Docker), `keys` makes its keys, `image` its image, `server` starts and stops it.
"""
