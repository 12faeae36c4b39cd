"""Search keys of customers with variants of characters and short forms of companies folded."""

from alembic import op

revision = "contracts_6"
down_revision = "contracts_5"
branch_labels = None
depends_on = None

VARIANTS = (
    "髙﨑嵜碕斎齊齋邊邉濵濱澤嶋嶌廣國櫻眞惠德藏瀨栁冨礒曻𠮷圓條龍"
    "關槗淵渊籠藪黑淸靑增寬彌壽榮實萬與豐劍壯兒學寶來會氣檜鷗穗鎭"
    "瀧嶽峯舘舩桒龜鹽ヶヵ"
)
USUAL = (
    "高崎崎崎斉斉斉辺辺浜浜沢島島広国桜真恵徳蔵瀬柳富磯昇吉円条竜"
    "関橋渕渕篭薮黒清青増寛弥寿栄実万与豊剣壮児学宝来会気桧鴎穂鎮"
    "滝岳峰館船桑亀塩ケカ"
)
COMPANIES = (
    ("(有)", "有限会社"),
    ("(株)", "株式会社"),
    ("(同)", "合同会社"),
    ("(名)", "合名会社"),
    ("(資)", "合資会社"),
)


def upgrade() -> None:
    """Fold the stored keys as the search now folds what is typed."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    folded = f"translate(customer_folded, '{VARIANTS}', '{USUAL}')"
    for short, full in COMPANIES:
        folded = f"replace({folded}, '{short}', '{full}')"
    op.execute(
        f"UPDATE contract SET customer_folded = {folded}"  # noqa: S608 - constants of this file
        f" WHERE customer_folded <> {folded}"
    )


def downgrade() -> None:
    """The keys stay folded: the usual spelling finds them as before."""
