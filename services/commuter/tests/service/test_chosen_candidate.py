"""The trains, minutes and labels of the candidate that was decided stay with its item."""

from .conftest import TARO, CommuterApi, looked_up


async def test_the_trains_of_the_chosen_candidate_stay_with_the_item(
    commuter_api: CommuterApi,
) -> None:
    asked = {"start": "海老名", "end": "横浜", "on": "2026-11-20"}
    found = (await commuter_api.post(TARO, "/look-ups", asked))["items"]
    slip = await commuter_api.slip()
    for one in found:
        trains = [
            {"name": train["name"], "end": train["end"], "minutes": train["minutes"]}
            for train in one["trains"]
            if train["kind"] == "train"
        ]
        chosen = {"trains": trains, "minutes": one["minutes"], "labels": one["labels"]}
        typed = looked_up("2026-11-20", one["route"], **chosen)
        slip = await commuter_api.save(TARO, slip, typed)
        [item] = slip["items"]
        assert item["journey"] == {name: one[name] for name in ("minutes", "changes", "labels")}
        assert item["explanation"]["trains"] == one["trains"]
        assert item["itinerary"] == one["itinerary"]
    slower = [{"name": "相鉄線", "end": "横浜", "minutes": 44}]
    typed = looked_up("2026-11-20", found[0]["route"], trains=slower)
    [item] = (await commuter_api.save(TARO, slip, typed))["items"]
    assert item["journey"] is None  # no train of the name: those worked out are shown
    assert item["explanation"]["trains"]
