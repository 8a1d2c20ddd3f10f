"""What a shell offers after Tab: Invoke knows tasks and options, this package the values, and how shells are told."""
