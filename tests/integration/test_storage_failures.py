"""What PostgreSQL itself says of a bad value is no reason to wait; what it says of itself is."""

import pytest
from sqlalchemy import exc, text

from shared.db import make_engine
from shared.failures import is_ours
from shared.settings import DatabaseSettings


@pytest.mark.parametrize(
    ("query", "ours"),
    [
        ("SELECT CAST(:value AS text)", False),
        ("SELECT 1 / length(CAST(:value AS text)) - 1 / 0", False),
        ("SELECT * FROM not_yet_made WHERE x = :value", True),
    ],
)
async def test_only_what_waiting_can_mend_is_waited_for(
    database: DatabaseSettings, query: str, *, ours: bool
) -> None:
    engine = make_engine(database, name="test")
    with pytest.raises(exc.DBAPIError) as failure:
        async with engine.connect() as connection:
            await connection.execute(text(query), {"value": "\x00"})
    await engine.dispose()

    assert is_ours(failure.value) is ours
