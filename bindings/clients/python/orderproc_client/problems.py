"""An exception for each code of a problem: `except problems.NotFoundError`."""

from ._problems import *  # noqa: F403
from ._problems import BY_CODE

__all__ = ["BY_CODE", *(it.__name__ for it in BY_CODE.values())]  # pyright: ignore
