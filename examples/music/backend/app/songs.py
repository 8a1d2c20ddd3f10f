"""The repertoire."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import open_session
from app.models import PracticeSession, Song
from app.schemas import SongDraft, SongShown

router = APIRouter()
Database = Annotated[Session, Depends(open_session)]


@router.get("/songs")
def list_songs(database: Database) -> list[SongShown]:
    """Return all songs by title, with the minutes that were spent on each."""
    minutes = func.coalesce(func.sum(PracticeSession.minutes), 0)
    rows = database.execute(
        select(Song, minutes)
        .outerjoin(PracticeSession, PracticeSession.song_id == Song.id)
        .group_by(Song.id)
        .order_by(Song.title, Song.composer)
    )
    return [SongShown.model_validate(song).model_copy(update={"minutes": spent}) for song, spent in rows]


@router.post("/songs", status_code=201)
def add_song(draft: SongDraft, database: Database) -> SongShown:
    """Add a song; one that is there already is refused."""
    song = Song(**draft.model_dump())
    database.add(song)
    try:
        database.commit()
    except IntegrityError:
        raise HTTPException(409, "This song is in the repertoire already.") from None
    return SongShown.model_validate(song)
