"""The part of KEDA's ScaledObject that our manifests use: a JSON Schema with no other field.

KEDA's own schema comes only with an installed KEDA. This one was written beside the definition of
`scaledobjects.keda.sh` in KEDA 2.20 (`config/crd/bases` of its repository): names, types, what is
required, and the words of enumerations. `fallback.behavior` exists since KEDA 2.17.
"""

from typing import Any

TEXT, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}


def _object(required: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": fields,
        "required": required.split(),
        "additionalProperties": False,
    }


_BEHAVIORS = ("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower")
_TRIGGER = _object(
    "type metadata name",
    type={"enum": ["rabbitmq", "postgresql"]},
    name={"type": "string", "pattern": "^[a-z_]+$"},
    metadata={"type": "object", "additionalProperties": TEXT},
    metricType={"enum": ["AverageValue", "Value", "Utilization"]},
    useCachedMetrics={"type": "boolean"},
    authenticationRef=_object(
        "name", name=TEXT, kind={"enum": ["TriggerAuthentication", "ClusterTriggerAuthentication"]}
    ),
)
_MODIFIERS = _object(
    "formula target",
    formula=TEXT,
    target=TEXT,
    activationTarget=TEXT,
    metricType={"enum": ["AverageValue", "Value"]},
)
_SPEC = _object(
    "scaleTargetRef triggers",
    scaleTargetRef=_object(
        "name", name=TEXT, kind=TEXT, apiVersion=TEXT, envSourceContainerName=TEXT
    ),
    minReplicaCount=COUNT,
    maxReplicaCount=COUNT,
    idleReplicaCount=COUNT,
    pollingInterval=COUNT,
    cooldownPeriod=COUNT,
    initialCooldownPeriod=COUNT,
    fallback=_object(
        "failureThreshold replicas",
        failureThreshold=COUNT,
        replicas=COUNT,
        behavior={"enum": [*_BEHAVIORS, "scalingModifiers"]},
    ),
    advanced=_object(
        "", scalingModifiers=_MODIFIERS, restoreToOriginalReplicaCount={"type": "boolean"}
    ),
    triggers={"type": "array", "items": _TRIGGER, "minItems": 1},
)
_LABELS = {"type": "object", "additionalProperties": {"type": "string"}}
SCALED_OBJECT = _object(
    "apiVersion kind metadata spec",
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata=_object("name", name=TEXT, namespace=TEXT, labels=_LABELS),
    spec=_SPEC,
)
OF_TRIGGER = {
    "rabbitmq": {"hostFromEnv", "protocol", "queueName", "mode", "value"},
    "postgresql": {"connectionFromEnv", "query", "targetQueryValue"},
}
"""The metadata of each kind of trigger that we use; all of it required."""
