from services.simulator.pacing import Pacing, template


def test_the_eleventh_request_in_a_second_is_one_too_many() -> None:
    pacing = Pacing(requests_per_s=10, path_limits=False, penalty_s=0)

    answers = [pacing.admit("tickle", 100.0) for _ in range(11)]

    assert answers == [True] * 10 + [False]
    assert pacing.admit("tickle", 101.0)
    assert (pacing.requests, pacing.limited) == (12, 1)


def test_a_penalty_locks_everything_out_for_its_time() -> None:
    pacing = Pacing(requests_per_s=1, path_limits=False, penalty_s=60)

    assert [pacing.admit("tickle", at) for at in (0.0, 0.5, 2.0, 60.0, 60.5)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_a_path_has_its_own_limit_where_that_is_switched_on() -> None:
    pacing = Pacing(requests_per_s=10, path_limits=True, penalty_s=0)

    assert [pacing.admit("iserver/account/orders", at) for at in (0.0, 1.0, 5.0)] == [
        True,
        False,
        True,
    ]


def test_counts_are_by_kind_of_path() -> None:
    assert template("iserver/contract/4815747/info") == "iserver/contract/{id}/info"
    assert template("iserver/reply/ab-cd") == "iserver/reply/{id}"
    assert template("iserver/account/DU1/order/-1") == "iserver/account/DU1/order/{id}"
