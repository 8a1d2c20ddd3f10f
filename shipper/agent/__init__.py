"""The server side: Python 3.9, standard library only, packed by shipper.host.bundle, run as root over there."""
