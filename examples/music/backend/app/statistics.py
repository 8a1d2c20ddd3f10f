"""What the diary adds up to."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.database import open_session
from app.models import PracticeSession, Song
from app.schemas import DayMinutes, SongMinutes, Statistics

DAYS = 14

router = APIRouter()


@router.get("/statistics")
def read_statistics(database: Annotated[Session, Depends(open_session)], until: date | None = None) -> Statistics:
    """Return the sums, and the minutes of the two weeks up to `until` (the visitor's today)."""
    last = until or date.today()
    minutes = func.sum(PracticeSession.minutes)
    sessions, total = database.execute(select(func.count(PracticeSession.id), func.coalesce(minutes, 0))).one()
    by_day = dict(database.execute(select(PracticeSession.day, minutes).group_by(PracticeSession.day)).tuples().all())
    by_song = database.execute(
        select(Song.title, minutes).join(PracticeSession).group_by(Song.id).order_by(minutes.desc(), Song.title)
    )
    days = [last - timedelta(days=before) for before in reversed(range(DAYS))]
    return Statistics(
        sessions=sessions,
        minutes=total,
        days_in_a_row=count_days_in_a_row(set(by_day), last),
        days=[DayMinutes(day=day, minutes=by_day.get(day, 0)) for day in days],
        songs=[SongMinutes(song=title, minutes=spent) for title, spent in by_song],
    )


def count_days_in_a_row(practised: set[date], last: date) -> int:
    """Return for how many days in a row somebody practised; today counts, but need not be over yet."""
    day = last if last in practised else last - timedelta(days=1)
    count = 0
    while day in practised:
        count += 1
        day -= timedelta(days=1)
    return count
