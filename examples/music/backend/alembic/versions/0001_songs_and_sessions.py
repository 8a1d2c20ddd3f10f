"""Songs, and the practice sessions in which they are played."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "songs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("composer", sa.String(120), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.UniqueConstraint("title", "composer", name="songs_title_composer"),
    )
    op.create_table(
        "practice_sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("song_id", sa.Integer, sa.ForeignKey("songs.id", ondelete="RESTRICT"), nullable=False),
        sa.Column("player", sa.String(60), nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("minutes between 1 and 600", name="practice_sessions_minutes"),
    )
    op.create_index("practice_sessions_day", "practice_sessions", ["day"])
    op.create_index("practice_sessions_song", "practice_sessions", ["song_id"])


def downgrade() -> None:
    op.drop_table("practice_sessions")
    op.drop_table("songs")
