"""The types of what is sent and received: `models.Order`, `models.NewOrder`."""

from ._models import *  # noqa: F403
