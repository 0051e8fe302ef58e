"""The index of names, built once and kept for the next run unless its sources change."""

import pytest

from geo import index
from geo.fixes import Fixer
from geo.gazetteer import Gazetteer


@pytest.fixture(scope="session")
def places(pytestconfig):
    return index.ensure(pytestconfig.cache.mkdir("geo") / "places.sqlite")


@pytest.fixture(scope="session")
def gazetteer(places):
    gazetteer = Gazetteer(places)
    yield gazetteer
    gazetteer.close()


@pytest.fixture(scope="session")
def fixer(gazetteer):
    return Fixer(gazetteer)


@pytest.fixture(scope="session")
def fix(fixer):
    return fixer.fix
