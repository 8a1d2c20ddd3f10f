"""Rules: each looks at one subject and yields findings. `environment` and `routes` so far."""
