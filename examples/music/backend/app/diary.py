"""The practice sessions."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import open_session
from app.models import PracticeSession, Song
from app.schemas import SessionDraft, SessionList, SessionShown

router = APIRouter()
Database = Annotated[Session, Depends(open_session)]


@router.get("/sessions")
def list_sessions(database: Database, limit: Annotated[int, Query(ge=1, le=200)] = 30) -> SessionList:
    """Return the newest sessions, and how many there are in all."""
    count = database.scalar(select(func.count()).select_from(PracticeSession)) or 0
    newest = select(PracticeSession).order_by(PracticeSession.day.desc(), PracticeSession.id.desc()).limit(limit)
    return SessionList(count=count, items=[shown(session) for session in database.scalars(newest)])


@router.post("/sessions", status_code=201)
def add_session(draft: SessionDraft, database: Database) -> SessionShown:
    """Write a session into the diary."""
    if database.get(Song, draft.song_id) is None:
        raise HTTPException(404, "There is no such song.")
    session = PracticeSession(**draft.model_dump())
    database.add(session)
    database.commit()
    return shown(session)


def shown(session: PracticeSession) -> SessionShown:
    """Return a session as the API gives it."""
    return SessionShown(
        id=session.id,
        song_id=session.song_id,
        song=session.song.title,
        player=session.player,
        minutes=session.minutes,
        day=session.day,
        note=session.note,
    )
