"""What moves to the server: `manifest` says what a tree holds, `upload` sends what the server lacks."""
