"""What the package ships."""

from importlib.resources import files
from pathlib import Path

import eliza_classic

CANONICAL = Path(__file__).resolve().parents[2] / "data" / "doctor-1966.txt"


def test_the_script_in_the_package_is_the_one_that_all_languages_have() -> None:
    # A copy, because a link would not survive npm pack or a checkout on Windows. After a change: copy it to the three.
    shipped = files(eliza_classic).joinpath("data", "doctor-1966.txt").read_bytes()
    assert shipped == CANONICAL.read_bytes()


def test_everything_public_is_there() -> None:
    assert sorted(eliza_classic.__all__) == sorted(set(eliza_classic.__all__))
    assert all(hasattr(eliza_classic, name) for name in eliza_classic.__all__)
