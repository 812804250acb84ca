import socket

from deploy.native.ports import LOOPBACK, Ports, is_free


def listener() -> socket.socket:
    server = socket.socket()
    server.bind((LOOPBACK, 0))
    server.listen()
    return server


def test_a_free_port_is_given_as_wanted() -> None:
    wanted = Ports().any_free()

    assert Ports().next_free(wanted) == wanted


def test_a_taken_port_is_replaced_by_a_later_one() -> None:
    with listener() as server:
        taken = server.getsockname()[1]

        assert not is_free(taken)
        assert Ports().next_free(taken) > taken


def test_zero_asks_for_any_port() -> None:
    assert Ports().next_free(0) > 1024


def test_no_port_is_given_twice() -> None:
    ports = Ports()
    wanted = ports.any_free()

    assert len({ports.next_free(wanted) for _ in range(10)} | {wanted}) == 11
