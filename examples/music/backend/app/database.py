"""The connection to Postgres: one engine for the process, one session for each request."""

import os
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

# A database that was restarted closed its connections: each is tried before it is used.
engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)


def open_session() -> Iterator[Session]:
    """Give a session for the length of a request; what is not committed is rolled back."""
    with Session(engine) as session:
        yield session
