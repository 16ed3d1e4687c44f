"""What others wrote and this site serves is what its manifest says, byte for byte, with its licence."""

import json
from hashlib import sha256

import config

MANIFEST = json.loads((config.ROOT / "package.json").read_text())
VENDOR = config.ROOT / "web" / "static" / "vendor"


def test_vendored_files_are_those_of_the_manifest() -> None:
    named = {f"{folder}/{name}" for folder, each in MANIFEST["vendored"].items() for name in each["files"]}
    there = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert there == named | {f"{folder}/LICENSE.txt" for folder in MANIFEST["vendored"]}
    for folder, each in MANIFEST["vendored"].items():
        for name, digest in each["files"].items():
            assert sha256((VENDOR / folder / name).read_bytes()).hexdigest() == digest, name


def test_every_dependency_is_vendored_in_its_version() -> None:
    named = {f"{name}-{version}" for name, version in MANIFEST["dependencies"].items()}
    assert named == set(MANIFEST["vendored"])
    for each in named:
        assert "Permission is hereby granted" in (VENDOR / each / "LICENSE.txt").read_text()
