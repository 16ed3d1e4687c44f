"""Settings: safe defaults, and no guess at what is not understood."""

import re
from pathlib import Path

import pytest

import config

KEY = "k" * 40


def production(**changes: str) -> dict[str, str]:
    return {
        "COHORTS_ENV": "production",
        "COHORTS_SECRET_KEY": KEY,
        "COHORTS_PUBLIC_URL": "https://cohorts.example.org/",
        **changes,
    }


def test_load_empty_environment_is_safe_for_development(tmp_path: Path) -> None:
    settings = config.load({"COHORTS_DATA_DIR": str(tmp_path)})
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path}/cohorts.sqlite3"
    assert settings.mail_url == "terminal:"
    assert not settings.production


def test_load_development_key_is_kept_and_private(tmp_path: Path) -> None:
    first = config.load({"COHORTS_DATA_DIR": str(tmp_path)})
    second = config.load({"COHORTS_DATA_DIR": str(tmp_path)})
    assert len(first.secret_key) >= 64
    assert second.secret_key == first.secret_key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_load_production_takes_what_is_given() -> None:
    settings = config.load(production(DATABASE_URL="postgresql://db/cohorts"))
    assert settings.production
    assert settings.public_url == "https://cohorts.example.org"
    assert settings.mail_from == "cohorts@cohorts.example.org"
    assert settings.database_url == "postgresql://db/cohorts"


def test_load_secret_key_from_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    environ = production(COHORTS_SECRET_KEY_FILE=str(file))
    del environ["COHORTS_SECRET_KEY"]
    assert config.load(environ).secret_key == KEY


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"COHORTS_SECRET_KEY": ""}, "Set COHORTS_SECRET_KEY"),
        ({"COHORTS_SECRET_KEY": "short"}, "shorter than 32"),
        ({"COHORTS_SECRET_KEY_FILE": "/nowhere/key"}, "COHORTS_SECRET_KEY_FILE cannot be read"),
        ({"COHORTS_PUBLIC_URL": ""}, "Set COHORTS_PUBLIC_URL"),
        ({"COHORTS_PUBLIC_URL": "cohorts.example.org"}, "must start with https://"),
        ({"COHORTS_ENV": "prod"}, "must be one of: development, production"),
        ({"COHORTS_MAIL_URL": "sendmail"}, "COHORTS_MAIL_URL must start with"),
        ({"COHORTS_TRUSTED_PROXIES": "one"}, "must be a whole number"),
        ({"COHORTS_LOG_LEVEL": "loud"}, "must be one of"),
        ({"COHORTS_SECRETKEY": "x"}, "Unknown setting COHORTS_SECRETKEY"),
    ],
)
def test_load_refuses(changes: dict[str, str], says: str) -> None:
    with pytest.raises(config.InvalidSettings, match=re.escape(says)):
        config.load(production(**changes))
