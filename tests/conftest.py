"""Options of every Python test: which build is under test."""

import os
from pathlib import Path

import pytest

os.environ["TILEWRIGHT_CACHE"] = "0"  # the user's kernels are none of the tests' business

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser):
    parser.addoption("--build-dir", default="build/release", help="the build folder under test, relative to the repository")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build_dir(pytestconfig):
    path = ROOT / pytestconfig.getoption("--build-dir")
    assert (path / "CMakeCache.txt").is_file(), f"{path} is not a build folder; run `make build`"
    return path


@pytest.fixture(scope="session")
def binary(build_dir):
    path = build_dir / "bin" / "tilewright"
    assert path.is_file(), f"{path} is missing; run `make build`"
    return path
