"""元に戻す: an item that was just removed, or turned into a typed one, comes back as it was.

The message of that step carries the item; nothing is kept elsewhere.
"""

import json
from typing import cast

from portal_service.service_api import commuter


def memento(slip: commuter.SlipAnswer, item_id: str) -> str | None:
    """The item and its place as text; None for a ride of an IC card, which is read again."""
    for position, item in enumerate(slip["items"]):
        if item["item_id"] == item_id and item["source"] != "ic_card":
            return json.dumps([position, _body(item)], ensure_ascii=False)
    return None


def restored(slip: commuter.SlipAnswer, text: str) -> commuter.SlipBody | None:
    """The form of the slip with that item again; None if the text is no memento."""
    try:
        position, item = json.loads(text)
        remembered, place = cast("commuter.ItemBody", dict(item)), int(position)
    except (ValueError, TypeError):
        return None
    items = [kept_item(one) for one in slip["items"]]
    known = [one["item_id"] for one in items]
    if (item_id := remembered.get("item_id")) in known:
        items[known.index(str(item_id))] = remembered
    else:
        items.insert(place, {**remembered, "item_id": None, "restored_id": item_id})
    return form_of(slip, items)


def with_copy(
    slip: commuter.SlipAnswer, items: list[commuter.ItemBody], item_id: str
) -> list[commuter.ItemBody]:
    """The items of a form, with a copy behind one of them; a ride of an IC card is not copied."""
    kept = {one["item_id"]: one for one in slip["items"]}
    found: list[commuter.ItemBody] = []
    for line in items:
        found.append(line)
        original = kept.get(item_id)
        if line.get("item_id") == item_id and original and original["source"] != "ic_card":
            copied = _body(original)
            copied |= line
            copied["item_id"] = None
            found.append(copied)
    return found


def form_of(slip: commuter.SlipAnswer, items: list[commuter.ItemBody]) -> commuter.SlipBody:
    """The form of the slip as it is kept, with these items."""
    return {
        "title": slip["title"],
        "purpose": slip["purpose"],
        "trip_from": slip["trip_from"],
        "trip_to": slip["trip_to"],
        "items": items,
    }


def kept_item(item: commuter.SlipItemAnswer) -> commuter.ItemBody:
    """An item as a form sends it that leaves the item as it is."""
    body: commuter.ItemBody = {
        "item_id": item["item_id"],
        "item_on": item["item_on"],
        "purpose": item["purpose"],
        "receipt": item["receipt"],
        "payee": item["payee"],
        "registration_no": item["registration_no"],
        "no_invoice_reason": item["no_invoice_reason"],
        "no_receipt_reason": item["no_receipt_reason"],
    }
    if item["source"] == "typed":
        typed: commuter.ItemBody = {
            "words": item["words"],
            "amount_yen": item["amount_yen"],
            "cost_kind": item["cost_kind"],
        }
        body |= typed
    return body


def _body(item: commuter.SlipItemAnswer) -> commuter.ItemBody:
    """An item as a form sends it that makes the item again."""
    body, explanation = kept_item(item), item["explanation"]
    if item["source"] == "look_up" and item["route"] and explanation:
        decision: commuter.DecisionBody = {
            "on": item["searched_on"] or explanation["on"],
            "route": item["route"],
            "medium": item["medium"] or "ic",
            "round_trip": item["round_trip"],
            "child": explanation["child"],
            "charges": [{"kind": one["kind"], "yen": one["yen"]} for one in explanation["charges"]],
        }
        if item["without_pass_reason"]:
            decision["without_pass_reason"] = item["without_pass_reason"]
        body["look_up"] = decision
    return body
