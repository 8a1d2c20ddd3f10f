"""The API of the practice diary."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import diary, songs, statistics
from app.database import open_session

VERSION = "1.0.0"

app = FastAPI(title="Practice diary", version=VERSION, docs_url="/api/docs", openapi_url="/api/openapi.json")
app.add_middleware(
    CORSMiddleware,
    allow_origins=[origin.strip() for origin in os.environ.get("CORS_ORIGINS", "").split(",") if origin.strip()],
    allow_methods=["GET", "POST"],
    allow_headers=["Content-Type"],
)
for part in (songs, diary, statistics):
    app.include_router(part.router, prefix="/api")


@app.get("/api/health")
def health(database: Annotated[Session, Depends(open_session)]) -> dict[str, str]:
    """Say that the app works, which it does not without its database."""
    database.execute(text("SELECT 1"))
    return {"status": "ok", "version": VERSION}
