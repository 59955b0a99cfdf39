"""A second person, who approves what the first one froze."""

from collections.abc import Callable

import pytest

from vonggac.auth import Role


@pytest.fixture
def second(token_for: Callable[..., str]) -> dict[str, str]:
    """Headers of who is named to decide."""
    return {"Authorization": f"Bearer {token_for(Role.DECIDER)}"}
