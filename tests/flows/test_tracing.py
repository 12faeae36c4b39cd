"""One click, seen whole: a single trace from the page to the mail server, and what is measured."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from shared.testing.servers import own_topology
from tests.flows.tracing_stack import MAILS, Story, exported_spans, named

OBSERVABILITY = Path(__file__).parents[2] / "deploy" / "observability"
CLICK = "POST /returns/{application_id}/completion"
STEP = "POST /applications/{application_id}/completion"
COMPLETED = "return.completed.v1"


@pytest.fixture(scope="module")
async def story(rabbitmq_url: str) -> AsyncIterator[Story]:
    async with own_topology(rabbitmq_url) as topology:
        yield await exported_spans(rabbitmq_url, topology.prefix)


async def test_every_step_hangs_below_the_one_that_caused_it(story: Story) -> None:
    by_id = {span.context.span_id: span for span in story.spans}
    chain = []
    [span] = named("SMTP", story.spans)[:1]
    while span.parent is not None:
        chain.append((span.kind.name, span.name))
        span = by_id[span.parent.span_id]
    chain.append((span.kind.name, span.name))
    assert chain[::-1] == [
        ("SERVER", CLICK),
        ("CLIENT", "POST returns"),
        ("SERVER", STEP),
        ("PRODUCER", f"publish {COMPLETED}"),
        ("CONSUMER", f"process {COMPLETED}"),
        ("INTERNAL", "send mail M1"),
        ("CLIENT", "SMTP"),
    ]
    roots = [span.name for span in story.spans if span.parent is None]
    assert roots == [CLICK]
    assert all(s.parent is None or s.parent.span_id in by_id for s in story.spans)
    assert len(named("SMTP", story.spans)) == MAILS
    assert len(named("GET /internal/applications/{application_id}/recipients", story.spans)) > 0


async def test_an_event_is_named_as_open_telemetry_names_messages(story: Story) -> None:
    [publish] = named(f"publish {COMPLETED}", story.spans)
    process = named(f"process {COMPLETED}", story.spans)
    sent, groups = dict(publish.attributes or {}), set()
    assert (sent["messaging.operation.type"], sent["messaging.destination.name"]) == (
        "send",
        COMPLETED,
    )
    for span in process:
        attributes = dict(span.attributes or {})
        assert attributes["messaging.operation.type"] == "process"
        assert attributes["messaging.message.id"] == sent["messaging.message.id"]
        groups.add(attributes["messaging.consumer.group.name"])
    assert groups == {"contracts", "interchange", "notifier"}
    [step] = named(STEP, story.spans)
    assert [event.name for event in step.events] == ["events added"]


async def test_spans_say_nothing_of_people(story: Story) -> None:
    said = json.dumps(
        [
            (
                span.name,
                dict(span.attributes or {}),
                [dict(e.attributes or {}) for e in span.events],
            )
            for span in story.spans
        ],
        ensure_ascii=False,
    )
    assert not re.search(r"[^\x00-\x7f]|@|0\d0-?\d{4}-?\d{4}", said), said


def alerts() -> list[dict[str, str]]:
    groups = yaml.safe_load((OBSERVABILITY / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (alert["expr"] for alert in alerts())
    dashboard = OBSERVABILITY / "grafana" / "dashboards" / "madoguchi.json"
    for panel in json.loads(dashboard.read_text())["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


GROUPING = re.compile(r"\bby \(([^)]*)\)")
MATCHERS = re.compile(r"\{([^}]*)\}")
LABEL = re.compile(r"(\w+)(?:=~|=|!=)")
NAME = re.compile(r"\b(?!(?:by|and|or|unless)\b)[a-z_]\w*\b(?! *\()")


def names_in(expression: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels that an expression speaks of."""
    grouped = [re.split(r",\s*", found) for found in GROUPING.findall(expression)]
    matched = [LABEL.findall(found) for found in MATCHERS.findall(expression)]
    labels = {label for some in grouped + matched for label in some}
    bare = re.sub(r"\[[^\]]*\]", " ", MATCHERS.sub(" ", GROUPING.sub(" ", expression)))
    return set(NAME.findall(bare)), labels


async def test_alerts_and_panels_speak_of_metrics_that_there_are(story: Story) -> None:
    of_prometheus = {"up"}
    measured = set[str]()
    labels = {"job", "instance", "dealer", "reason", "code", "step", "queue"}
    for family in text_string_to_metric_families(story.metrics):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        measured |= {family.name + ending for ending in endings.get(family.type, ("",))}
        labels |= {label for sample in family.samples for label in sample.labels}
    asked = [names_in(expression) for expression in expressions()]
    ours = {name for name in asked_names(asked) if not name.startswith("rabbitmq_")}
    assert ours - of_prometheus - measured == set()
    assert {label for _, some in asked for label in some} - labels == set()
    assert {
        "madoguchi_outbox_age_seconds",
        "madoguchi_mails_total",
        "madoguchi_mail_age_seconds",
    } <= asked_names(asked)


def asked_names(asked: list[tuple[set[str], set[str]]]) -> set[str]:
    return {name for names, _ in asked for name in names}


async def test_requests_and_mails_are_counted(story: Story) -> None:
    clicks = f'{{method="POST",route="{CLICK[5:]}",service="portal",status="303"}}'
    assert f"madoguchi_http_server_request_duration_seconds_count{clicks} " in story.metrics
    sent = re.search(r'^madoguchi_mails_total{result="sent"} (\S+)$', story.metrics, re.MULTILINE)
    assert sent is not None
    assert float(sent[1]) >= MAILS
