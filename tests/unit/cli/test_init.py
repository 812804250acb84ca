from pathlib import Path

from dotenv import dotenv_values

from cli.init import complete


def test_what_the_containers_need_is_random_and_for_the_owner_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "one.env", tmp_path / "other.env"

    added = complete(one)
    complete(other)

    assert len(added) == 5
    assert all(len(value or "") >= 22 for value in dotenv_values(one).values())
    assert not set(dotenv_values(one).values()) & set(dotenv_values(other).values())
    assert one.stat().st_mode & 0o077 == 0


def test_what_is_there_stays_and_what_is_empty_is_filled(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nAPI_TOKEN=mine\nPOSTGRES_PASSWORD=\nOPENBELL_LLM__MODEL=m")

    added = complete(file)

    found = dotenv_values(file)
    assert "API_TOKEN" not in added
    assert (found["API_TOKEN"], found["OPENBELL_LLM__MODEL"]) == ("mine", "m")
    assert found["POSTGRES_PASSWORD"]
    assert complete(file) == []
