"""A contract over HTTP: answers, failures in its own shape, and what HTTP itself asks for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openorders.contracts import kit
from openorders.contracts.kit.answers import OutgoingStream
from openorders.contracts.kit.routes import get
from tests.contracts.kit.conftest import World

ORDER = {"customerId": 1, "items": [{"productId": "P1", "quantity": 1}]}


async def test_an_amount_has_exactly_its_digits_and_a_time_whole_seconds(world: World):
    response = await world.client.get("/orders/S1")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.text == (
        '{"orderId":"S1","totalAmount":75.00,"createdAt":"2023-10-27T10:30:00Z","note":null}'
    )


async def test_an_amount_comes_back_as_it_was_sent(world: World):
    raw = b'{"customerId":1,"items":[{"productId":"P","quantity":1,"price":12345678901234.10}]}'
    response = await world.client.post(
        "/orders", content=raw, headers={"Content-Type": "application/json"}
    )
    assert '"totalAmount":12345678901234.10' in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/nowhere", 404, "status 404"),
        ("GET", "/", 404, "status 404"),
        ("GET", "/orders/S1/more/and/more", 404, "status 404"),
        ("GET", "/orders/x%00y", 404, "no order x\0y"),
        ("GET", "/orders/" + "x" * 3000, 404, "status 404"),
        ("PATCH", "/orders", 405, "status 405"),
        ("GET", "/orders/S9", 404, "not found"),
        ("GET", "/orders/ord_9", 404, "no order ord_9"),
        ("GET", "/orders/weather", 503, "status 503"),
        ("GET", "/orders/busy", 503, "busy"),
        ("GET", "/orders/fault", 500, "status 500"),
    ],
)
async def test_every_failure_is_in_the_contracts_shape(world: World, method, path, status, error):
    response = await world.client.request(method, path)
    assert response.status_code == status
    assert response.json() == {"error": error}


async def test_a_fault_is_reported_and_says_nothing(world: World):
    response = await world.client.get("/orders/fault")
    assert "4711" not in response.text
    [(error, request_id)] = world.faults
    assert isinstance(error, RuntimeError)
    assert request_id == "request-1"


async def test_weather_and_refusals_are_no_faults_and_say_when_to_retry(world: World):
    assert (await world.client.get("/orders/busy")).headers["Retry-After"] == "2"
    assert (await world.client.get("/orders/weather")).headers["Retry-After"] == "1"
    assert world.faults == []


async def test_a_path_has_the_methods_it_says_it_has(world: World):
    wrong = await world.client.put("/orders/S1")
    asked = await world.client.options("/orders/S1")
    assert wrong.headers["Allow"] == asked.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert (asked.status_code, asked.content) == (204, b"")
    assert (await world.client.options("/orders/export")).headers["Allow"] == "OPTIONS, POST"
    assert (await world.client.options("/nowhere")).status_code == 404


async def test_head_answers_like_get_without_a_body(world: World):
    got, head = await world.client.get("/orders/S1"), await world.client.head("/orders/S1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers


async def test_a_client_that_has_this_version_is_not_sent_it_again(world: World):
    response = await world.client.get("/orders/S1", headers={"If-None-Match": '"v3"'})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == '"v3"'
    other = await world.client.get("/orders/S1", headers={"If-None-Match": '"v2"'})
    assert other.status_code == 200


async def test_the_credential_is_asked_for_before_anything_is_read(world: World):
    response = await world.client.post(
        "/orders", content=b"{", headers={"Authorization": "Bearer bad", "If-Match": "x"}
    )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_if_match_reaches_the_use_case(world: World):
    response = await world.client.delete("/orders/S1", headers={"If-Match": '"v1", "v2"'})
    assert response.json()["expected"] == [1, 2]
    assert (await world.client.delete("/orders/S1")).json()["expected"] is None


async def test_a_key_names_the_same_request_under_every_base(world: World):
    async def digest(path: str = "/orders/S1/note", **headers: str) -> str:
        sent = {"Idempotency-Key": "k", **headers}
        return (await world.client.put(path, headers=sent)).json()["digest"]

    same = await digest()
    assert same == await digest(path="/orders/S1/note/")
    assert same != await digest(path="/orders/S2/note")
    assert same != await digest(Authorization="Bearer other")
    assert (await world.client.put("/orders/S1/note")).json()["digest"] is None


@pytest.mark.parametrize("held", ["1" * 5000, "1e999999999999999999999", "[" * 900 + "]" * 900])
async def test_a_key_asks_no_more_of_a_field_that_nobody_knows(world: World, held):
    async def told(text: str) -> str:
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        response = await world.client.put("/orders/S1/note", content=text, headers=headers)
        assert response.status_code == 200
        return response.json()["fingerprint"]

    same = await told(f'{{"text": "a", "more": {held}}}')
    assert same == await told(f'{{"text": "a", "more": {held}}}')
    assert same != await told(f'{{"text": "b", "more": {held}}}')


async def test_a_replayed_answer_says_so(world: World):
    replayed = await world.client.put("/orders/S1/note", json={"text": "again"})
    fresh = await world.client.put("/orders/S1/note", json={"text": "first"})
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in fresh.headers


async def test_a_reply_words_refusals_like_the_error_layer(world: World):
    response = await world.client.post("/orders", json={**ORDER, "customerId": 404})
    assert (response.status_code, response.json()) == (404, {"error": "not found"})


async def test_links_lead_to_the_other_pages(world: World):
    response = await world.client.get("/orders?offset=20&limit=20&status=a%26b")
    links = response.links
    assert links["first"]["url"] == "http://test/sample/orders?offset=0&limit=20&status=a%26b"
    assert links["prev"]["url"].startswith("http://test/sample/orders?offset=0&")
    assert links["next"]["url"].startswith("http://test/sample/orders?offset=40&")
    assert links["last"]["url"].startswith("http://test/sample/orders?offset=40&")


async def test_a_host_that_is_none_is_unreadable(world: World):
    response = await world.client.get("/orders", headers={"Host": "a b/c"})
    assert response.status_code == 400
    assert response.json() == {"error": "Host must be a host name"}


async def test_a_stream_is_a_file_to_save(world: World):
    response = await world.client.post("/orders/export", json={"text": "all"})
    assert response.text == "a,b\r\n1,2\r\n"
    assert response.headers["Content-Type"] == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="orders.csv"'


async def test_a_stream_that_cannot_begin_has_its_own_status(world: World):
    response = await world.client.post("/orders/export", json={"text": "none"})
    assert (response.status_code, response.json()) == (404, {"error": "not found"})


async def test_a_download_is_gone_afterwards(world: World, tmp_path):
    path = tmp_path / "made.txt"
    path.write_bytes(b"x" * 600_000)
    response = await world.client.post("/orders/export", json={"text": str(path)})
    assert response.content == b"x" * 600_000
    assert response.headers["Content-Length"] == "600000"
    assert not path.exists()


async def test_a_stream_ends_when_the_client_is_gone():
    made: list[int] = []
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                made.append(1)
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    await OutgoingStream([], b"", endless())({"method": "POST"}, receive, send)
    assert len(made) < 5
    assert closed == [True]


def test_a_handler_that_does_not_fit_its_path_is_found_at_import():
    with pytest.raises(TypeError):

        @get("/orders/{order_id}", answers={}, summary="")
        async def without_its_parameter(call: kit.Call) -> kit.Answer: ...

    with pytest.raises(TypeError):

        @get("/orders/{order_id}", answers={}, summary="")
        async def with_a_parsed_parameter(call: kit.Call, order_id: int) -> kit.Answer: ...
