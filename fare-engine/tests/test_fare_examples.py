"""The examples of the deduction rules F1-F22, figures as given: IC, on 2026-03-14, unless said."""

from collections.abc import Callable
from datetime import date

import pytest

from fare_engine.fares.explanation_model import Explanation, ExtraCharge, PassUse, Reason
from fare_engine.fares.pricing import BusFareMissing, Terms, price
from fare_engine.fares.tariffs import packaged_tariffs
from fare_engine.network.network import Network
from fare_engine.routing.candidates import Order, SearchRequest, candidates
from fare_engine.routing.route_text import parse_pass, parse_route
from fare_engine.rules.bus_policy import BUS_NOTICE, BusPolicy

PriceRide = Callable[..., Explanation]

P1 = "東京:JR東日本/中央線:新宿"
TO_TOKYO = "{}:JR東日本/中央線:東京"
SOBU = "総武線(御茶ノ水支線)"


def example(number: str, route: str, passes: tuple[str, ...], through: int, charged: int) -> object:
    marks = [pytest.mark.rule(number)]
    return pytest.param(route, passes, through, charged, id=f"{number} {route}", marks=marks)


@pytest.mark.parametrize(
    ("route", "passes", "through", "charged"),
    [
        example("F1", "四ツ谷:中央線:御茶ノ水", (P1,), 199, 0),
        example("F2", "新宿:中央線:東京", (P1,), 253, 0),
        example("F3", TO_TOKYO.format("三鷹"), (P1,), 440, 253),
        example("F3", TO_TOKYO.format("立川"), (P1,), 715, 528),
        example("F3", TO_TOKYO.format("高円寺"), (P1,), 341, 199),
        example(
            "F5",
            f"三鷹:中央線:御茶ノ水:{SOBU}:錦糸町:総武線:船橋",
            (f"新宿:中央線:御茶ノ水:{SOBU}:錦糸町",),
            803,
            594,
        ),
        example("F6", "大久保:中央線:市ケ谷", ("新宿:中央線:四ツ谷",), 199, 199),
        example("F7", TO_TOKYO.format("三鷹"), (P1, "三鷹:中央線:新宿"), 440, 0),
        example("F9", "東京:丸ノ内線:新宿", (P1,), 209, 209),
        example("F9", "新宿:山手線:品川", (P1,), 253, 253),
        example("F10", "横浜:東横線:渋谷", (), 309, 309),
        example("F10", "渋谷:半蔵門線:大手町", (), 209, 209),
        example("F10", "横浜:東横線:渋谷:半蔵門線:大手町", (), 518, 518),
        example("F10", "横浜:東横線:渋谷:半蔵門線:大手町", ("渋谷:半蔵門線:大手町",), 518, 309),
        example("F11", "高円寺:中央線:東京:東海道線:品川", (P1,), 341, 341),
        example("F12", TO_TOKYO.format("八王子"), (P1,), 902, 616),
        example("F12", "八王子:中央線:新宿", (), 616, 616),
        example("F12", "高尾:中央線:新宿", (), 715, 715),
        example("F12", "品川:東海道線:横浜", (), 341, 341),
        example("F13", TO_TOKYO.format("八王子"), (), 902, 902),
        example("F19", "渋谷:銀座線:青山一丁目", (), 178, 178),
        example("F19", "青山一丁目:大江戸線:六本木", (), 178, 178),
        example("F19", "渋谷:銀座線:青山一丁目:大江戸線:六本木", (), 286, 286),
        example(
            "F19",
            "渋谷:銀座線:青山一丁目:大江戸線:六本木",
            ("渋谷:銀座線:青山一丁目",),
            286,
            178,
        ),
        example("F21", "三鷹:中央線:市ケ谷", ("三鷹:中央線:新宿",), 341, 199),
        example(
            "F21", "三鷹:中央線:市ケ谷", ("三鷹:中央線:新宿", "代々木:中央線:四ツ谷"), 341, 199
        ),
    ],
)
def test_ride_costs(
    ride: PriceRide, route: str, passes: tuple[str, ...], through: int, charged: int
) -> None:
    priced = ride(route, *passes)
    assert (priced.through_yen, priced.charged_yen) == (through, charged)
    assert priced.deduction_yen == through - charged


@pytest.mark.rule("F4")
def test_charge_is_the_outside_fare_not_the_difference_of_two_fares(ride: PriceRide) -> None:
    pass_fare = ride("東京:中央線:新宿").through_yen
    priced = ride("三鷹:中央線:東京", P1)
    assert priced.through_yen - pass_fare == 187
    assert priced.charged_yen == 253


@pytest.mark.rule("F5")
def test_two_outside_parts_are_two_fares_not_one_over_their_kilometres(ride: PriceRide) -> None:
    covered = f"新宿:中央線:御茶ノ水:{SOBU}:錦糸町"
    run = ride(f"三鷹:中央線:御茶ノ水:{SOBU}:錦糸町:総武線:船橋", covered).runs[0]
    winner = next(price for price in run.candidates if price.wins)
    assert [(p.from_station, p.to_station, p.yen) for p in winner.parts] == [
        ("三鷹", "新宿", 253),
        ("錦糸町", "船橋", 341),
    ]


@pytest.mark.rule("F6")
def test_dearer_outside_parts_lose_and_the_reason_says_so(ride: PriceRide) -> None:
    priced = ride("大久保:中央線:市ケ谷", "新宿:中央線:四ツ谷")
    assert priced.runs[0].reason is Reason.THROUGH_CHEAPER
    assert "通しの運賃の方が安い" in priced.why
    outside = next(price for price in priced.runs[0].candidates if not price.wins)
    assert [part.yen for part in outside.parts] == [155, 155]


@pytest.mark.rule("F6")
def test_a_part_between_two_names_of_one_station_has_no_fare(ride: PriceRide) -> None:
    priced = ride("渋谷:銀座線:溜池山王:南北線:永田町", "外苑前:銀座線:赤坂見附")
    assert (priced.through_yen, priced.charged_yen) == (178, 178)
    assert priced.runs[0].reason is Reason.THROUGH_CHEAPER
    assert priced.why == "渋谷―永田町: 定期区間外だけの運賃がないため、通しの運賃です"


@pytest.mark.rule("F8")
@pytest.mark.parametrize(
    ("old_pass", "charged"),
    [(P1, 0), (f"{P1}[~2022-07-31]", 198)],
    ids=["old pass without end", "old pass ended 7/31"],
)
def test_old_and_new_pass_both_deduct_while_both_are_valid(
    ride: PriceRide, old_pass: str, charged: int
) -> None:
    new_pass = "東京:東海道線:品川[2022-08-01~]"
    route = "新宿:中央線:東京:東海道線:品川"
    assert ride(route, old_pass, new_pass, on="2022-08-05").charged_yen == charged


@pytest.mark.rule("F11")
def test_through_fare_follows_the_tariff_route_not_the_ridden_one(ride: PriceRide) -> None:
    roundabout = ride("高円寺:中央線:東京:東海道線:品川", P1).runs[0]
    through = next(price for price in roundabout.candidates if price.kind == "through")
    assert (through.parts[0].tariff.km10, through.yen) == (164, 341)
    outside = next(price for price in roundabout.candidates if price.kind == "outside")
    assert outside.yen == 199 + 209


@pytest.mark.rule("F12")
@pytest.mark.parametrize(
    ("route", "ic", "ticket"),
    [
        ("新宿:中央線:八王子", 616, 620),
        ("新宿:中央線:高尾", 715, 720),
        ("品川:東海道線:横浜", 341, 350),
        ("品川:京急/本線:横浜", 313, 320),
        ("京急川崎:本線:横浜", 240, 240),
        ("新宿:中央線:西八王子", 715, 720),  # one station on: the table again
        ("代々木:中央線:八王子", 715, 720),
    ],
)
def test_special_fares_apply_between_exactly_their_ends(
    ride: PriceRide, route: str, ic: int, ticket: int
) -> None:
    assert ride(route).through_yen == ic
    assert ride(route, medium="ticket").through_yen == ticket


@pytest.mark.rule("F13")
def test_cheaper_split_is_a_hint_only(ride: PriceRide) -> None:
    priced = ride("八王子:中央線:東京")
    assert priced.charged_yen == 902
    assert [n.message for n in priced.notices if n.code == "SPLIT_TICKET_HINT"] == [
        "新宿で分けて購入すると33円安くなります。"
    ]


@pytest.mark.rule("F14")
def test_round_trip_is_charged_twice(ride: PriceRide) -> None:
    priced = ride("三鷹:中央線:東京", P1, round_trip=True)
    assert (priced.through_yen, priced.charged_yen, priced.deduction_yen) == (880, 506, 374)


@pytest.mark.rule("F15")
def test_tickets_follow_the_same_rule_in_their_own_fares(ride: PriceRide) -> None:
    priced = ride("三鷹:中央線:東京", P1, medium="ticket")
    assert (priced.through_yen, priced.charged_yen, priced.deduction_yen) == (440, 260, 180)


@pytest.mark.rule("F16")
def test_express_charges_are_never_reduced(network: Network) -> None:
    terms = Terms(date(2026, 3, 14), charges=(ExtraCharge("特急料金", 760),))
    own = [parse_pass(network, P1, "1")]
    priced = price(parse_route(network, "新宿:中央線:東京"), terms, own, packaged_tariffs())
    assert (priced.through_yen, priced.charged_yen, priced.deduction_yen) == (1013, 760, 253)


@pytest.mark.rule("F16")
@pytest.mark.parametrize(
    ("covered", "charged"), [("東京:東海道線:小田原", 1520), ("東京:東海道新幹線:小田原", 0)]
)
def test_shinkansen_is_another_line_than_the_one_beside_it(
    ride: PriceRide, covered: str, charged: int
) -> None:
    assert ride("東京:東海道新幹線:小田原", covered).charged_yen == charged


@pytest.mark.rule("F17", "R10")
@pytest.mark.parametrize(
    ("policy", "charged", "use"),
    [(BusPolicy.RAIL_ONLY, 0, PassUse.USED), (BusPolicy.NONE, 253, PassUse.BUS_EXCLUDED)],
)
def test_mixed_pass_deducts_its_rail_sections_where_the_company_wants_it(
    ride: PriceRide, policy: BusPolicy, charged: int, use: PassUse
) -> None:
    priced = ride("新宿:中央線:三鷹", "新宿:中央線:三鷹:バス:調布", bus_policy=policy)
    assert priced.charged_yen == charged
    assert (priced.passes[0].use, priced.passes[0].guaranteed) == (use, False)
    assert BUS_NOTICE in [notice.message for notice in priced.notices]


@pytest.mark.rule("F17")
def test_bus_in_a_ride_needs_its_fare(network: Network) -> None:
    route = parse_route(network, "新宿:中央線:三鷹:バス:調布")
    with pytest.raises(BusFareMissing):
        price(route, Terms(date(2026, 3, 14)), (), packaged_tariffs())
    paid = Terms(date(2026, 3, 14), charges=(ExtraCharge("バス", 230),))
    own = [parse_pass(network, "新宿:中央線:三鷹:バス:調布", "1")]
    assert price(route, paid, own, packaged_tariffs()).charged_yen == 230


@pytest.mark.rule("F18", "R36")
@pytest.mark.parametrize(
    ("day", "charged"),
    [("2022-03-31", 198), ("2022-04-01", 0), ("2022-08-31", 0), ("2022-09-01", 198)],
)
def test_first_and_last_day_of_a_pass_deduct(ride: PriceRide, day: str, charged: int) -> None:
    priced = ride("東京:中央線:新宿", f"{P1}[2022/04/01~2022/08/31]", on=day)
    assert priced.charged_yen == charged
    assert (priced.passes[0].use is PassUse.NOT_VALID_ON_DAY) == (charged > 0)


@pytest.mark.rule("F19")
def test_transfer_discount_by_ticket(ride: PriceRide) -> None:
    priced = ride("渋谷:銀座線:青山一丁目:大江戸線:六本木", medium="ticket")
    assert priced.charged_yen == 290
    assert [(one.operators, one.discount_yen) for one in priced.discounts] == [
        (("東京メトロ", "都営"), 70)
    ]
    assert priced.why.endswith("乗継割引 70円")


@pytest.mark.rule("F19")
def test_discount_is_taken_on_the_cheapest_combined_ride(ride: PriceRide) -> None:
    # By the ridden change at 大手町 the two fares are 209 + 178; 神保町 would be 209 + 178 as well,
    # and by 新宿 a roundabout ride would cost more: the combined fare never depends on it.
    direct = ride("渋谷:半蔵門線:神保町:三田線:水道橋").through_yen
    roundabout = ride("渋谷:半蔵門線:大手町:三田線:水道橋").through_yen
    assert direct == roundabout


@pytest.mark.rule("F20")
@pytest.mark.parametrize(
    ("route", "medium", "yen"),
    [
        ("東京:中央線:新宿", "ic", 126),
        ("東京:中央線:新宿", "ticket", 130),
        ("渋谷:東横線:横浜", "ic", 154),
        ("渋谷:東横線:横浜", "ticket", 160),
        ("渋谷:東横線:中目黒", "ticket", 70),
        ("渋谷:銀座線:青山一丁目:大江戸線:六本木", "ic", 143),
    ],
)
def test_child_pays_half(ride: PriceRide, route: str, medium: str, yen: int) -> None:
    assert ride(route, medium=medium, child=True).charged_yen == yen


@pytest.mark.rule("F21")
def test_unused_second_pass_is_named_with_its_reason(ride: PriceRide) -> None:
    priced = ride("三鷹:中央線:市ケ谷", "三鷹:中央線:新宿", "代々木:中央線:四ツ谷")
    assert [one.use for one in priced.passes] == [PassUse.USED, PassUse.NOT_CHEAPER]
    totals = {price.yen: price.wins for price in priced.runs[0].candidates}
    assert totals == {341: False, 199: True, 408: False, 310: False}


@pytest.mark.rule("F22")
@pytest.mark.parametrize(
    ("passes", "best", "charged"),
    [
        ((), "新宿:東京メトロ/丸ノ内線:東京", 209),
        ((P1,), "新宿:JR東日本/中央線:東京", 0),
    ],
)
def test_price_order_looks_at_what_is_left_to_pay(
    network: Network, passes: tuple[str, ...], best: str, charged: int
) -> None:
    own = tuple(parse_pass(network, text, "1") for text in passes)
    question = SearchRequest("新宿", "東京", date(2026, 3, 14), passes=own, order=Order.CHARGED)
    first = candidates(question, packaged_tariffs())[0]
    assert (str(first.route), first.charged_yen) == (best, charged)
