"""A tempo to aim at and how far a song is; a note for every session."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("songs", sa.Column("tempo", sa.Integer))
    op.add_column("songs", sa.Column("stage", sa.String(16), server_default="learning", nullable=False))
    op.create_check_constraint("songs_stage", "songs", "stage in ('learning', 'polishing', 'ready')")
    op.create_check_constraint("songs_tempo", "songs", "tempo between 20 and 300")
    op.add_column("practice_sessions", sa.Column("note", sa.String(500), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("practice_sessions", "note")
    op.drop_constraint("songs_tempo", "songs")
    op.drop_constraint("songs_stage", "songs")
    op.drop_column("songs", "stage")
    op.drop_column("songs", "tempo")
