"""The programme of the autumn concert and a week of practice, so that a new installation has something to show."""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SONGS = sa.table("songs", *map(sa.column, ("id", "title", "composer", "tempo", "stage")))
SESSIONS = sa.table("practice_sessions", *map(sa.column, ("song_id", "player", "minutes", "day", "note")))

# Title, composer, tempo, stage.
FIRST_SONGS = (
    ("아리랑", "민요 (편곡 김서연)", 76, "ready"),
    ("고향의 봄", "홍난파", 84, "polishing"),
    ("섬집 아기", "이흥렬", 66, "learning"),
    ("Gymnopédie No. 1", "Erik Satie", 72, "polishing"),
    ("Prelude in C, BWV 846", "J. S. Bach", 66, "ready"),
    ("Clair de lune", "Claude Debussy", 54, "learning"),
    ("Träumerei, Op. 15 No. 7", "Robert Schumann", 80, "learning"),
)

# Days before the migration, title, player, minutes, note.
FIRST_SESSIONS = (
    (0, "고향의 봄", "민준", 25, "둘째 단 왼손 화음 연결이 아직 끊긴다. 느리게 열 번."),
    (0, "Clair de lune", "Hannah", 40, "Bars 27 to 30 hands apart; the pedal changes with the bass."),
    (1, "아리랑", "서연", 30, "합주 박자 맞춤. 후렴에서 서두르지 말 것."),
    (2, "Gymnopédie No. 1", "Jaewon", 35, "Left hand quieter than you think."),
    (2, "섬집 아기", "민준", 20, ""),
    (4, "Prelude in C, BWV 846", "Hannah", 45, "Once through at 60, once at 66. Clean."),
    (5, "Träumerei, Op. 15 No. 7", "서연", 30, "노래하듯이. 페달은 반만."),
    (6, "고향의 봄", "Jaewon", 15, "Only the second half."),
)


def upgrade() -> None:
    names = ("title", "composer", "tempo", "stage")
    op.bulk_insert(SONGS, [dict(zip(names, row, strict=True)) for row in FIRST_SONGS])
    known = {title: number for number, title in op.get_bind().execute(sa.select(SONGS.c.id, SONGS.c.title))}
    op.bulk_insert(
        SESSIONS,
        [
            {
                "song_id": known[title],
                "player": player,
                "minutes": minutes,
                "day": date.today() - timedelta(days=days),
                "note": note,
            }
            for days, title, player, minutes, note in FIRST_SESSIONS
        ],
    )


def downgrade() -> None:
    """Leave the rows: nobody can tell them from those of people any more."""
