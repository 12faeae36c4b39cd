"""People of the specification's examples, and access tokens as their issuer would sign them."""

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from shared.auth import Principal, Role
from shared.testing.static_keys import StaticKeys
from shared.tokens import TokenVerifier, claims_of

ISSUER, AUDIENCE = "https://login.example.test", "madoguchi"
KEY = ECKey.generate_key("P-256", {"kid": "test"})
YEAR_2286 = 9_999_999_999
"""In seconds since 1970; no token expires during a test."""


def person(
    code: str, name: str, role: Role, store: str | None, *, dealer: str = "D01"
) -> Principal:
    """A staff member of a dealer."""
    mail = f"{code.lower()}@{dealer.lower()}.example.jp"
    return Principal(f"{dealer}-{code}", name, dealer, store, code, frozenset({role}), mail)


YAMADA = person("E101", "山田 太郎", Role.SALES, "S10")
COLLEAGUE = person("E102", "伊藤 翔", Role.SALES, "S10")
SATO = person("M100", "佐藤 誠", Role.MANAGER, "S10")
SUZUKI = person("E201", "鈴木 花子", Role.SALES, "S20")
TAKAHASHI = person("M200", "高橋 健一", Role.MANAGER, "S20")
TANAKA = person("H001", "田中 裕子", Role.HQ, None)
OTHER_HQ = person("H001", "他社 本部", Role.HQ, None, dealer="D02")
TFC = Principal("t001", "渡辺 恵子", None, None, "T001", frozenset({Role.TFC}), None)
OPERATOR = Principal("o001", "運用 担当", None, None, "O001", frozenset({Role.OPERATOR}), None)
NOTIFIER = Principal("notifier", "notifier", None, None, None, frozenset({Role.SERVICE}), None)


def bearer(who: Principal) -> dict[str, str]:
    """The header that identifies a person."""
    claims = claims_of(who) | {"iss": ISSUER, "aud": AUDIENCE, "exp": YEAR_2286}
    token = jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)
    return {"authorization": f"Bearer {token}"}


def verifier() -> TokenVerifier:
    """Verifies the tokens of `bearer`."""
    return TokenVerifier(StaticKeys(KeySet([KEY])), issuer=ISSUER, audience=AUDIENCE)
