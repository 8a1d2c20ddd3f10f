"""What the API takes and gives."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Stage = Literal["learning", "polishing", "ready"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Player = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class SongDraft(BaseModel):
    title: Name
    composer: Name
    tempo: int | None = Field(default=None, ge=20, le=300)
    stage: Stage = "learning"


class SongShown(SongDraft):
    model_config = ConfigDict(from_attributes=True)

    id: int
    minutes: int = 0


class SessionDraft(BaseModel):
    song_id: int
    player: Player
    minutes: int = Field(ge=1, le=600)
    day: date = Field(default_factory=date.today)
    note: Note = ""


class SessionShown(SessionDraft):
    id: int
    song: str


class SessionList(BaseModel):
    count: int
    items: list[SessionShown]


class DayMinutes(BaseModel):
    day: date
    minutes: int


class SongMinutes(BaseModel):
    song: str
    minutes: int


class Statistics(BaseModel):
    sessions: int
    minutes: int
    days_in_a_row: int
    days: list[DayMinutes]
    songs: list[SongMinutes]
