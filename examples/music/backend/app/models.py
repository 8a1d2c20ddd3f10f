"""The tables."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, String, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class Song(Base):
    __tablename__ = "songs"
    __table_args__ = (
        UniqueConstraint("title", "composer", name="songs_title_composer"),
        CheckConstraint("stage in ('learning', 'polishing', 'ready')", name="songs_stage"),
        CheckConstraint("tempo between 20 and 300", name="songs_tempo"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    composer: Mapped[str] = mapped_column(String(120))
    tempo: Mapped[int | None]
    stage: Mapped[str] = mapped_column(String(16), server_default="learning")
    created: Mapped[datetime] = mapped_column(server_default=func.now())


class PracticeSession(Base):
    __tablename__ = "practice_sessions"
    __table_args__ = (
        CheckConstraint("minutes between 1 and 600", name="practice_sessions_minutes"),
        Index("practice_sessions_day", "day"),
        Index("practice_sessions_song", "song_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    song_id: Mapped[int] = mapped_column(ForeignKey("songs.id", ondelete="RESTRICT"))
    player: Mapped[str] = mapped_column(String(60))
    minutes: Mapped[int]
    day: Mapped[date]
    note: Mapped[str] = mapped_column(String(500), server_default="")
    created: Mapped[datetime] = mapped_column(server_default=func.now())

    song: Mapped[Song] = relationship(lazy="joined", innerjoin=True)
