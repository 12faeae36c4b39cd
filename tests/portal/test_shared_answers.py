"""Names that all people of a dealer share: asked once in a while, and never over dealers."""

import asyncio

from portal_service.recent_answers import RecentAnswers, SharedAnswers


async def test_people_of_a_dealer_share_an_answer_until_it_is_old() -> None:
    asked: list[str] = []

    async def names(dealer: str) -> str:
        asked.append(dealer)
        return f"names of {dealer}"

    answers = RecentAnswers[str](wait_s=0.3)
    of_one, of_other = SharedAnswers(answers, "D01", 30), SharedAnswers(answers, "D02", 30)
    assert await of_one.get("stores", names("D01")) == "names of D01"
    assert await of_one.get("stores", names("D01")) == "names of D01"
    assert await of_other.get("stores", names("D02")) == "names of D02"
    assert await of_one.get("staff", names("D01")) == "names of D01"
    assert asked == ["D01", "D02", "D01"]
    impatient = SharedAnswers(answers, "D01", 0)
    await impatient.get("stores", names("D01"))
    assert asked == ["D01", "D02", "D01", "D01"]


async def test_a_failure_is_not_kept() -> None:
    async def fails() -> str:
        raise OSError

    async def names() -> str:
        return "names"

    shared = SharedAnswers(RecentAnswers[str](wait_s=0.3), "D01", 30)
    refused = await asyncio.gather(shared.get("stores", fails()), return_exceptions=True)
    assert isinstance(refused[0], OSError)
    assert await shared.get("stores", names()) == "names"
