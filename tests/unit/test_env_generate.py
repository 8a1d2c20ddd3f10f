"""A new env file from the project's example: with secrets of its own, and never where git would take it."""

from __future__ import annotations

import base64
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from shipper.config.backend import Backend
from shipper.config.envfile import check_env, parse_env
from shipper.config.frontend import Frontend
from shipper.config.project import Project, Workspace
from shipper.config.target import Target
from shipper.errors import ConfigError
from shipper.pipeline.generate import Generated, generate, generate_environment
from shipper.pipeline.job import Job

BACKEND = Backend(framework="django", app="config.asgi:application", required_env=("SECRET_KEY", "MAP_ID"))
PROJECT = Project(name="shop", frontend=Frontend(preset="static"), backend=BACKEND)
TARGET = Target(host="203.0.113.7", url="https://app.example.com", env_file=".env.production")

EXAMPLE = """\
# The backend's environment.
SECRET_KEY=change-me   # a long one
  export JWT_SECRET_KEY="your-secret-here"

POSTGRES_PASSWORD='password'
DATABASE_URL=postgres://shop:password@db:5432/shop
CACHE_URL=redis://cache:6379/0
FIELD_ENCRYPTION_KEY=
OPENAI_API_KEY=sk-your-key
AWS_SECRET_ACCESS_KEY=
EMAIL_HOST_PASSWORD=secret
ACCESS_TOKEN_EXPIRE_MINUTES=30
ALLOWED_HOSTS=localhost
CSRF_TRUSTED_ORIGINS=http://localhost:3000
CORS_ORIGINS=["http://localhost:3000"]
FRONTEND_URL=http://localhost:3000
DEBUG=True
TITLE='The corner shop' # shown on top
SIGNING_CERTIFICATE="-----BEGIN
-----END"
# COMMENTED_SECRET=stays
"""


def made(text: str = EXAMPLE, target: Target = TARGET) -> tuple[Generated, dict[str, str]]:
    result = generate(text.encode(), ".env.example", PROJECT, target)
    return result, dict(parse_env(result.text, "test").values)


def test_secrets_of_the_app_are_new_random_ones_that_pass_the_checks() -> None:
    result, values = made()
    assert set(result.made) == {
        "SECRET_KEY",
        "JWT_SECRET_KEY",
        "POSTGRES_PASSWORD",
        "FIELD_ENCRYPTION_KEY",
        "DATABASE_URL",
    }
    assert len(values["SECRET_KEY"]) == len(values["JWT_SECRET_KEY"]) == 64
    assert values["SECRET_KEY"] != values["JWT_SECRET_KEY"]
    assert values["POSTGRES_PASSWORD"].isalnum() and len(values["POSTGRES_PASSWORD"]) == 32
    assert len(base64.urlsafe_b64decode(values["FIELD_ENCRYPTION_KEY"])) == 32
    rules = {finding.rule for finding in check_env(parse_env(result.text, "test"), BACKEND)}
    assert rules == {"env.empty"}, "only what a person has to fill in is left"


def test_every_file_has_secrets_of_its_own() -> None:
    assert made()[1]["SECRET_KEY"] != made()[1]["SECRET_KEY"]


def test_a_password_inside_of_an_address_is_the_one_it_was_in_the_example() -> None:
    values = made()[1]
    assert values["DATABASE_URL"] == f"postgres://shop:{values['POSTGRES_PASSWORD']}@db:5432/shop"


def test_each_address_gets_the_password_of_its_own_service_where_the_example_has_one_for_all() -> None:
    names = ("MYSQL_ROOT_PASSWORD", "REDIS_PASSWORD", "MYSQL_PASSWORD")
    example = "".join(f"{name}=password\n" for name in names)
    values = made(f"{example}DATABASE_URL=mysql://shop:password@db/shop\nCACHE_URL=redis://:password@cache/0\n")[1]
    assert values["DATABASE_URL"] == f"mysql://shop:{values['MYSQL_PASSWORD']}@db/shop"
    assert values["CACHE_URL"] == f"redis://:{values['REDIS_PASSWORD']}@cache/0"
    assert len({values[name] for name in names}) == 3


def test_what_somebody_else_gives_out_is_left_to_be_filled_in() -> None:
    result, values = made()
    assert set(result.open) == {"OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "EMAIL_HOST_PASSWORD", "MAP_ID"}
    assert {values[name] for name in result.open} == {""}


def test_settings_about_the_address_fit_the_target_in_the_form_of_the_example() -> None:
    result, values = made()
    assert values["ALLOWED_HOSTS"] == "app.example.com"
    assert values["CSRF_TRUSTED_ORIGINS"] == values["FRONTEND_URL"] == "https://app.example.com"
    assert values["CORS_ORIGINS"] == '["https://app.example.com"]'
    assert values["DEBUG"] == "False"
    assert set(result.fitted) == {"ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "CORS_ORIGINS", "FRONTEND_URL", "DEBUG"}
    practice = Target(host="127.0.0.1", url="http://127.0.0.1:8080")
    assert made(target=practice)[1]["DEBUG"] == "True"


def test_everything_else_stays_as_it_stands_in_the_example() -> None:
    result, values = made()
    lines = result.text.splitlines()
    for line in ("# The backend's environment.", "CACHE_URL=redis://cache:6379/0", "# COMMENTED_SECRET=stays", ""):
        assert line in lines
    assert "TITLE='The corner shop' # shown on top" in lines
    assert values["SIGNING_CERTIFICATE"] == "-----BEGIN\n-----END"
    assert values["ACCESS_TOKEN_EXPIRE_MINUTES"] == "30"
    assert lines[1].endswith("   # a long one") and lines[2].startswith("  export JWT_SECRET_KEY=")


def test_what_ship_toml_requires_and_the_example_lacks_is_added() -> None:
    assert made("SECRET_KEY=\n")[0].text.endswith("\n\n# ship.toml requires these.\nMAP_ID=\n")


def test_an_example_saved_on_windows_is_read() -> None:
    result, values = made("\ufeffSECRET_KEY=\r\nTITLE=x\r\n")
    assert "\r" not in result.text and "\ufeff" not in result.text
    assert len(values["SECRET_KEY"]) == 64 and values["TITLE"] == "x"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A project in a repository whose .gitignore covers the env file."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".env*\n!.env.example\n")
    (tmp_path / ".env.example").write_text(EXAMPLE)
    return Job(Workspace(tmp_path, PROJECT), "production", TARGET)


def test_the_file_is_for_its_owner_alone(job: Job) -> None:
    file, example, _, _ = generate_environment(job)
    assert (file.name, example.name) == (".env.production", ".env.example")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(job: Job) -> None:
    file = job.workspace.root / ".env.production"
    file.write_text("MINE=1\n")
    with pytest.raises(ConfigError, match="is there already"):
        generate_environment(job)
    assert file.read_text() == "MINE=1\n"


def test_a_link_that_leads_nowhere_is_not_written_through(job: Job) -> None:
    elsewhere = job.workspace.root / "elsewhere"
    (job.workspace.root / ".env.production").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="is there already"):
        generate_environment(job)
    assert not elsewhere.exists()


def test_it_is_not_written_where_git_would_take_it(job: Job) -> None:
    (job.workspace.root / ".gitignore").write_text("*.log\n")
    with pytest.raises(ConfigError) as raised:
        generate_environment(job)
    assert "Git would take .env.production" in raised.value.what
    assert ".gitignore" in raised.value.fix
    assert not (job.workspace.root / ".env.production").exists()


def test_it_may_lie_in_a_folder_that_is_not_there_yet(job: Job) -> None:
    target = TARGET.model_copy(update={"env_file": "config/.env.production"})
    assert generate_environment(replace(job, target=target))[0].is_file()
    (job.workspace.root / ".gitignore").write_text("*.log\n")
    with pytest.raises(ConfigError, match=r"Git would take other/\.env"):
        generate_environment(replace(job, target=TARGET.model_copy(update={"env_file": "other/.env"})))


def test_outside_of_a_repository_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "env.example").write_text("SECRET_KEY=\n")
    file, example, _, _ = generate_environment(Job(Workspace(tmp_path, PROJECT), "production", TARGET))
    assert example.name == "env.example"
    assert len(parse_env(file.read_bytes(), "test").values["SECRET_KEY"]) == 64


def test_the_example_of_the_backends_folder_is_found(job: Job) -> None:
    (job.workspace.root / ".env.example").unlink()
    (job.workspace.root / "backend").mkdir()
    (job.workspace.root / "backend" / ".env.sample").write_text("SECRET_KEY=\n")
    assert generate_environment(job)[1].name == ".env.sample"


def test_without_an_example_it_says_which_it_looked_for(job: Job) -> None:
    (job.workspace.root / ".env.example").unlink()
    with pytest.raises(ConfigError) as raised:
        generate_environment(job)
    assert ".env.example" in raised.value.why
