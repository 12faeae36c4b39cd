"""Returns client: requests with an access token that is kept while it is valid."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from notifier_service.recipients_client import (
    Application,
    NoSuchApplication,
    RecipientSource,
    RecipientsUnavailable,
    Remand,
)
from notifier_service.rules.recipients import Facts
from shared.service_token import ServiceToken, TokenUnavailable

from .fake_servers import with_nobody_left


def recipients_of(notifier: Any) -> RecipientSource:
    made: RecipientSource = notifier.settings.recipients(
        notifier.http, notifier.settings.token(notifier.http)
    )
    return made


async def test_one_token_serves_many_questions(notifier: Any) -> None:
    notifier.knows()
    recipients = recipients_of(notifier)
    for _ in range(3):
        assert (await recipients.of("A1")).contract_no == "12345678"
    assert notifier.desk.tokens_issued == 1


async def test_a_token_that_is_not_believed_is_replaced(notifier: Any) -> None:
    notifier.knows()
    recipients = recipients_of(notifier)
    notifier.desk.token = "an-older-token"
    await recipients.of("A1")
    notifier.desk.token = "a-newer-token"
    with pytest.raises(RecipientsUnavailable):
        await recipients.of("A1")
    assert (await recipients.of("A1")).application_id == "A1"
    assert notifier.desk.tokens_issued == 2


async def test_an_answer_that_does_not_fit_names_its_fields_and_no_values(notifier: Any) -> None:
    notifier.knows(originator={"mail": "yamada@d01.example"})
    with pytest.raises(RecipientsUnavailable, match=r"originator\.person_id") as raised:
        await recipients_of(notifier).of("A1")
    assert "yamada" not in str(raised.value)


async def test_an_unknown_application_is_no_trouble_of_the_network(notifier: Any) -> None:
    with pytest.raises(NoSuchApplication):
        await recipients_of(notifier).of("A9")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(401), "answers 401"),
        (httpx.Response(200, json={"error": "no"}), "no token"),
        (httpx.Response(200, text="hello"), "no token"),
        (httpx.Response(200, json=[]), "no token"),
    ],
)
async def test_an_issuer_that_gives_no_token(answer: httpx.Response, words: str) -> None:
    transport = httpx.MockTransport(lambda _: answer)
    async with httpx.AsyncClient(transport=transport) as http:
        token = ServiceToken(
            "https://issuer.example/token",
            http,
            client_id="notifier",
            client_secret=SecretStr("secret"),
        )
        with pytest.raises(TokenUnavailable, match=words):
            await token.current()


@pytest.mark.parametrize(("lives_s", "fetched"), [(3600, 1), (31, 1), (30, 2), (1, 2)])
async def test_a_token_is_not_used_in_its_last_half_minute(lives_s: int, fetched: int) -> None:
    asked: list[bytes] = []

    def issuer(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        return httpx.Response(200, json={"access_token": "t", "expires_in": lives_s})

    async with httpx.AsyncClient(transport=httpx.MockTransport(issuer)) as http:
        token = ServiceToken(
            "https://issuer.example/token",
            http,
            client_id="notifier",
            client_secret=SecretStr("secret"),
            scope="returns",
        )
        assert await token.current() == await token.current() == "t"
    assert len(asked) == fetched
    assert asked[0] == b"grant_type=client_credentials&scope=returns"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(from_level="hq", to_level="store"), "受領日"),
        (Facts(from_level="tfc", to_level="hq"), None),
    ],
    ids=["the last remand", "one before"],
)
def test_the_words_of_a_remand_belong_to_that_remand(
    application: Any, facts: Facts, reason: str | None
) -> None:
    remand = Remand(
        from_level="hq",
        to_level="store",
        remanded_by="田中 裕子",
        remanded_at="2026-11-29T09:27:00Z",
        comment="受領日",
    )
    answer = with_nobody_left(application(last_remand=remand.model_dump()))
    made = Application.model_validate(answer)
    reported = made.remand_of(facts)
    assert (reported and reported.comment) == reason
