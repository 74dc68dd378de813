"""When endpoints are tried again, when they are switched off, and what proves who sent."""

from base64 import b64decode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openorders.domain.webhooks import (
    FAILURES_MIN,
    JITTER,
    PAUSE_MAX,
    RETRY_AFTER_MAX,
    WAITS,
    Delivered,
    GiveUp,
    OffReason,
    Standing,
    SwitchOff,
    Tried,
    TryAgain,
    judge,
    shown,
    signatures,
)

WELL = Standing()
STATUSES = st.one_of(st.none(), st.integers(100, 599))


def test_the_schedule_is_the_documented_one() -> None:
    hours = sum(WAITS, timedelta()) / timedelta(hours=1)
    assert len(WAITS) == 9
    assert round(hours, 1) == 75.6


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_whose_answer_came_is_delivered(status: int) -> None:
    assert judge(Tried(tries=1, status=status), WELL, chance=0.5) == Delivered()
    cut = judge(Tried(tries=1, status=status, complete=False), WELL, chance=0.5)
    assert isinstance(cut, TryAgain)


@pytest.mark.parametrize("status", [None, 100, 301, 307, 400, 401, 404, 409, 418, 500, 503])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert isinstance(judge(Tried(tries=1, status=status), WELL, chance=0), TryAgain)


@given(tries=st.integers(1, len(WAITS)), chance=st.floats(0, 1))
def test_each_wait_is_as_documented_plus_a_little(tries: int, chance: float) -> None:
    verdict = judge(Tried(tries=tries, status=500), WELL, chance=chance)
    assert isinstance(verdict, TryAgain)
    assert WAITS[tries - 1] <= verdict.wait <= WAITS[tries - 1] * (1 + JITTER)


def test_after_the_last_wait_an_event_is_given_up_when_others_are_taken() -> None:
    assert judge(Tried(tries=len(WAITS) + 1, status=500), WELL, chance=0) == GiveUp()


@given(status=STATUSES, tries=st.integers(1, 12), seconds=st.integers(0, 10**9))
def test_what_a_receiver_asks_for_is_honoured_within_bounds(
    status: int | None, tries: int, seconds: int
) -> None:
    tried = Tried(tries=tries, status=status, retry_after_s=seconds)
    verdict = judge(tried, WELL, chance=0)
    if isinstance(verdict, TryAgain):
        asked = min(timedelta(seconds=seconds), RETRY_AFTER_MAX)
        assert asked <= verdict.wait <= max(asked, WAITS[-1])
        assert verdict.pause is None or verdict.pause <= PAUSE_MAX


@pytest.mark.parametrize("tries", [1, 10])
def test_an_endpoint_that_says_it_is_gone_is_switched_off_at_once(tries: int) -> None:
    assert judge(Tried(tries=tries, status=410), WELL, chance=0) == SwitchOff(OffReason.GONE)


def test_an_endpoint_that_failed_for_three_days_is_switched_off() -> None:
    failing = Standing(failures=FAILURES_MIN, failing_for=timedelta(days=3))
    tried = Tried(tries=2, status=500)
    assert judge(tried, failing, chance=0) == SwitchOff(OffReason.FAILING)
    not_yet = Standing(failures=FAILURES_MIN, failing_for=timedelta(days=2, hours=23))
    assert isinstance(judge(tried, not_yet, chance=0), TryAgain)


def test_an_endpoint_is_not_blamed_for_the_days_on_which_we_were_away() -> None:
    once = Standing(failures=1, failing_for=timedelta(days=9))
    assert isinstance(judge(Tried(tries=2, status=500), once, chance=0), TryAgain)
    failing = Standing(failures=FAILURES_MIN, failing_for=timedelta(days=9))
    assert isinstance(judge(Tried(tries=2, ours=True), failing, chance=0), TryAgain)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_receiver_with_too_much_to_do_is_left_alone_for_longer_each_time(status: int) -> None:
    pauses = [
        judge(Tried(tries=1, status=status), Standing(failures=failures), chance=0)
        for failures in range(8)
    ]
    seconds = [
        one.pause.total_seconds() for one in pauses if isinstance(one, TryAgain) and one.pause
    ]
    assert seconds == [1, 2, 5, 15, 60, 60, 60, 60]


def test_only_a_503_that_says_how_long_holds_up_the_rest() -> None:
    silent = judge(Tried(tries=1, status=503), WELL, chance=0)
    asking = judge(Tried(tries=1, status=503, retry_after_s=30), WELL, chance=0)
    assert isinstance(silent, TryAgain)
    assert isinstance(asking, TryAgain)
    assert (silent.pause, asking.pause) == (None, timedelta(seconds=30))


def test_a_signature_is_that_of_the_reference_libraries() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    key = b64decode(secret.removeprefix("whsec_"))
    signed = signatures([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert shown(key) == secret


def test_two_secrets_sign_both() -> None:
    both = signatures([b"new" * 10, b"old" * 10], "evt_1", 1, b"{}")
    assert both.split(" ") == [
        signatures([b"new" * 10], "evt_1", 1, b"{}"),
        signatures([b"old" * 10], "evt_1", 1, b"{}"),
    ]
