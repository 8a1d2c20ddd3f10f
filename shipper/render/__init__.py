"""Files made here and installed there: nginx's two and the unit, from the templates in `nginx/` and `systemd/`."""
