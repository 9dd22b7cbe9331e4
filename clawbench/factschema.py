"""The JSON Schema of ``facts:``, for editors; what reads facts is :mod:`clawbench.factspecs`."""

from __future__ import annotations

from typing import Any

_RANGE = {"type": "string", "pattern": r"^-?[0-9]+\.\.-?[0-9]+$"}
_STEP = {"type": "integer", "minimum": 1, "description": "Distance between values."}
_KINDS: dict[str, dict[str, Any]] = {
    "company": {"company": {"const": 1, "description": "An invented company. Forms: .short, .domain"}},
    "person": {
        "person": {
            "enum": ["colleague", "client"],
            "description": "Forms: .first, .last, .email, .handle",
        },
        "at": {"type": "string", "description": "The company fact that a client works at."},
    },
    "version": {
        "version": {
            "type": "array",
            "items": {"anyOf": [_RANGE, {"type": "integer"}]},
            "minItems": 2,
            "maxItems": 4,
            "description": "A release such as v3.12.4, a range for each number. Form: .bare",
        }
    },
    "int": {"int": {**_RANGE, "description": "A whole number, such as 200..999"}, "step": _STEP},
    "clock": {
        "clock": {
            "type": "string",
            "pattern": r"^[0-9]{1,2}:[0-9]{2}\.\.[0-9]{1,2}:[0-9]{2}$",
            "description": "A time of today, such as 13:00..16:00. Forms: .h12, .h24, .iso; offsets: +45m",
        },
        "step": {
            "type": "string",
            "pattern": r"^([0-9]+h)?([0-9]+m)?$",
            "description": "Distance between values, such as 30m.",
        },
    },
    "day": {
        "day": {
            **_RANGE,
            "description": "Working days from today, such as 1..5. Forms: .weekday .iso .date .short .at",
        }
    },
    "money": {"money": {**_RANGE, "description": "Whole dollars. Form: .short"}, "step": _STEP},
    "code": {
        "code": {
            "type": "string",
            "pattern": "[#@]",
            "description": "A template such as TKT-####: # is a digit, @ a capital letter.",
        }
    },
    "one_of": {
        "one_of": {
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 2},
                {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 2},
            ],
            "description": "One of some texts; in a mapping, each with an RE2 pattern of its spellings.",
        }
    },
    "flag": {
        "flag": {
            "type": "string",
            "pattern": "^[0-9]{1,3}/[0-9]{1,3}$",
            "description": "True with this chance, such as 1/2; for a record's if.",
        }
    },
}
_FACT: dict[str, Any] = {
    "oneOf": [
        {"type": "object", "properties": properties, "required": [kind], "additionalProperties": False}
        for kind, properties in _KINDS.items()
    ]
}
FACTS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": _FACT,
    "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}$"},
}
