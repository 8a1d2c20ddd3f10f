"""Measurements that anybody can repeat: `make bench`. README and docs quote only what is written to `results/`."""
