"""Menu: the screens that a person may open from here.

The words and the order are the manual's; what a person sees is not decided here a second time: an
entry shows when its page exists and the page's own policy lets the person in (D3, D4, R27).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from fastapi import FastAPI

from shared.auth import Principal, Role, policies_by_path


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: where it leads, its name, and a sentence for the top page."""

    path: str
    label: str
    lead: str
    number: str = ""
    """The number that the manual gives it on the top page."""
    for_sales: tuple[str, str] | None = None
    """Name and sentence for sales staff, where they do something else on the page."""
    right: str = ""
    """What must be ticked for the person on 権限マスタ, beside the role (R27)."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading."""

    title: str
    entries: tuple[Entry, ...]


MENU = (
    Group(
        "最終回対応",
        (
            Entry(
                "/contracts",
                "最終回対象顧客一覧",
                "最終回を迎えるお客様を探し、結果を入力します。",
                "1.",
            ),
            Entry("/returns", "進捗一覧", "車両返却などの申込の進み具合を確認します。"),
            Entry(
                "/returns/approvals",
                "手続待ち・一括承認",
                "あなたの手続きを待っている申込をまとめて確認します。",
                for_sales=("差戻しされた申込", "差戻しの理由を確認し、訂正します。"),
            ),
            Entry(
                "/transfers",
                "店舗・スタッフ一括変更",
                "担当の店舗とスタッフをまとめて変更します。",
                "3.",
            ),
            Entry("/dashboard", "店舗の状況", "期限の近い契約と承認待ちを図で確認します。"),
        ),
    ),
    Group(
        "承認の設定",
        (
            Entry("/approval-flow", "承認フロー設定", "申込を承認する順番を決めます。"),
            Entry("/substitutes", "代理承認者", "不在のあいだ承認する人を決めます。"),
        ),
    ),
    Group(
        "TFC",
        (
            Entry("/tfc/requests", "依頼受付", "販売店からの依頼を受け付け、完了させます。"),
            Entry("/tfc/masters", "マスタ", "販売店・店舗・スタッフ・車種を確認します。"),
        ),
    ),
    Group(
        "経費・定期",
        (
            Entry(
                "/commuter/my-passes",
                "定期区間",
                "通勤定期の区間を登録し、申請します。",
            ),
            Entry(
                "/commuter/my-mails",
                "個人設定 > メール通知",
                "精算書のお知らせメールを選びます。",
            ),
            Entry(
                "/commuter/my-account",
                "個人設定 > 振込口座",
                "立替金が振り込まれる口座を登録します。",
            ),
            Entry("/commuter/slips", "精算書", "交通費の精算書を作り、承認します。"),
            Entry(
                "/commuter/desk",
                "精算書の管理",
                "提出された精算書を探し、まとめて精算します。",
            ),
            Entry("/commuter/months", "月次締め", "月を締め、未提出の社員に提出を依頼します。"),
            Entry(
                "/commuter/receipts",
                "領収書の検索",
                "提出された領収書を日付・金額・支払先で探します。",
            ),
            Entry(
                "/commuter/simulation",
                "定期券のシミュレーション",
                "定期券が何日の通勤で得になるかを計算します。",
            ),
            Entry(
                "/commuter/confirmations",
                "定期区間申請の確認",
                "届いた定期区間の申請を確認します。",
                right="pass_master",
            ),
            Entry(
                "/commuter/passes",
                "定期区間マスタ",
                "社員の定期区間を管理します。",
                right="pass_master",
            ),
            Entry("/commuter/accounting", "会計連携", "精算した費用を会計ソフトの仕訳にします。"),
            Entry(
                "/commuter/transfers",
                "総合振込",
                "精算した立替金を、銀行の振込データで支払います。",
            ),
            Entry(
                "/commuter/allowances",
                "通勤手当",
                "月ごとの支給額と非課税額を確認し、給与計算に渡します。",
            ),
            Entry("/commuter/settings", "システム設定", "定期区間控除の動きを決めます。"),
            Entry("/commuter/permissions", "権限マスタ", "だれが何を確認できるかを決めます。"),
        ),
    ),
    Group(
        "運用",
        (
            Entry(
                "/operation/mails",
                "メール台帳",
                "送ったメールと送れなかったメールを確認します。",
            ),
            Entry(
                "/operation/webhooks",
                "Webhook 連携",
                "販売店のシステムへ、申込のステータスの変更を知らせます。",
            ),
            Entry(
                "/operation/dead-letters",
                "処理できなかった通知",
                "原因を調べ、もう一度処理するか、読み飛ばします。",
            ),
            Entry(
                "/operation/refused",
                "受け取らなかった通知",
                "読み取れずに退けたものを確認します。",
            ),
            Entry(
                "/operation/dealer-messages",
                "隔離メッセージ",
                "販売店から届き、受け入れなかったものを確認します。",
            ),
            Entry(
                "/operation/dealers",
                "連携先",
                "送信できる販売店と、そのAPIキーを管理します。",
            ),
            Entry(
                "/operation/erasures",
                "顧客情報の消去",
                "求めがあったとき、または保存期間が過ぎたときに消去します。",
            ),
            Entry(
                "/operation/access-log",
                "アクセスの記録",
                "だれがいつ何を見たか、何を拒否したかを確認します。",
            ),
            Entry(
                "/operation/sessions",
                "ログインの管理",
                "ログインしている人を確認し、ログアウトさせます。",
            ),
            Entry("/operation/lag", "処理の遅れ", "送信待ちと処理待ちの量を確認します。"),
            Entry("/styleguide", "画面部品の見本", "画面を作るための部品の一覧です。"),
        ),
    ),
)


def menu_for(person: Principal, app: FastAPI, rights: Collection[str] = ()) -> tuple[Group, ...]:
    """The groups and entries that this person can open now; empty groups are left out."""
    if not hasattr(app.state, "policies"):
        app.state.policies = policies_by_path(app)  # pages do not change while the portal serves
    policies = app.state.policies

    def opens(entry: Entry) -> bool:
        if entry.right and entry.right not in rights:
            return False
        found = policies.get(("GET", entry.path))
        return found is not None and all(policy.admits(person) for policy in found)

    def worded(entry: Entry) -> Entry:
        if entry.for_sales is None or not person.has(Role.SALES):
            return entry
        label, lead = entry.for_sales
        return replace(entry, label=label, lead=lead)

    groups = (
        Group(group.title, tuple(map(worded, filter(opens, group.entries)))) for group in MENU
    )
    return tuple(group for group in groups if group.entries)
