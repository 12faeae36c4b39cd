"""Limits of what a dealer's system may send, once for the JSON Schema and for the server.

They are limits of the sender: the schema for senders (`sender_schema`) has them, and messages are
checked against that schema when they arrive. Events that are already stored were accepted under
earlier limits and stay readable, so reading one does not apply them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

CONTROL = r"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"
"""Control characters, and those that reverse the direction of what follows."""
PLAIN = f"^[^{CONTROL}]*$"
NOT_BLANK = rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$"


@dataclass(frozen=True, slots=True)
class Limit:
    """JSON Schema keywords of a field, and what is expected, in two languages."""

    keywords: Mapping[str, object] = field(hash=False)
    japanese: str
    english: str

    def __get_pydantic_json_schema__(
        self, core: object, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the keywords to the schema of what is sent."""
        schema = handler(core)  # type: ignore[arg-type]  # its type is of pydantic_core
        if handler.mode != "validation":
            return schema
        return {**schema, **self.keywords, "description": self.english}


def text(longest: int) -> Limit:
    """Text with something to read in it."""
    return Limit(
        {"minLength": 1, "maxLength": longest, "pattern": NOT_BLANK},
        f"1～{longest}文字。空白だけ、制御文字は不可",
        f"text of 1 to {longest} characters, not only blanks, without control characters",
    )


KEY = text(160)
CODE = text(50)
NAME = text(100)
PLACE = Limit(
    {"maxLength": 1000, "pattern": PLAIN},
    "1000文字以内。制御文字は不可",
    "text of at most 1000 characters, without control characters",
)
SHORT = Limit(
    {"maxLength": 100, "pattern": PLAIN},
    "100文字以内。制御文字は不可",
    "text of at most 100 characters, without control characters",
)
DEALER = Limit(
    {"pattern": "^[A-Za-z0-9_]{1,32}$"},
    "販売店コード。半角英数字32文字以内",
    "the dealer's code: up to 32 letters and digits",
)
CONTRACT_NO = Limit(
    {"pattern": "^[0-9A-Za-z-]{1,20}$"},
    "契約番号。半角英数字とハイフン、20文字以内",
    "the contract number: up to 20 ASCII letters, digits and hyphens",
)
PHONE = Limit(
    {"pattern": "^[0-9+() -]{0,20}$"},
    "電話番号。半角の数字とハイフン、20文字以内",
    "a phone number: ASCII digits and hyphens, at most 20 characters",
)
MAIL = Limit(
    {
        "maxLength": 254,
        "pattern": r"^$|^[!#-'*+/-9=?A-Z^-~.-]+@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
        r"(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$",
    },
    "メールアドレス。例：taro@example.co.jp",
    "a mail address such as taro@example.co.jp",
)
DAY = Limit(
    {"pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    "2025-07-14 の形の日付",
    "a date such as 2025-07-14",
)
ODOMETER = Limit(
    {"minimum": 0, "maximum": 9_999_999},
    "0～9999999の整数",
    "a whole number from 0 to 9999999",
)
LIMITS = (KEY, CODE, NAME, PLACE, SHORT, DEALER, CONTRACT_NO, PHONE, MAIL, DAY, ODOMETER)
