"""What pytest does not collect here."""

from __future__ import annotations

import sys

# It puts a Windows together; on a real one, the other modules are that test.
collect_ignore = ["test_windows.py"] if sys.platform == "win32" else []
