"""Words that were replaced on the screens must not come back."""

from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
REPLACED = {
    "入力を確かめて": "入力内容をご確認ください",
    "暦を開く": "カレンダー",
    "条件を消す": "条件をクリア",
    "車種をさがす": "one field that is typed into",
    "{{ label }}をさがす": "one field that is typed into",
    "この行を選ぶ": "選択",
    "届いた日時": "到着日時",
    "日のあいだ": "日間",
    '    "個人設定 >': "the name of the page alone",
    'title = "個人設定 >': "the name of the page alone",
    "▼ 個人設定 >": "the name of the page alone",
    "「個人設定 >": "the name of the page alone",
}
KINDS = {".html", ".j2", ".js", ".py", ".typ"}


@pytest.mark.parametrize("old", REPLACED)
def test_old_words_do_not_come_back(old: str) -> None:
    found = [
        path.relative_to(SERVICES).as_posix()
        for path in SERVICES.rglob("src/**/*")
        if path.suffix in KINDS and "vendor" not in path.parts and old in path.read_text()
    ]
    assert found == [], f"write: {REPLACED[old]}"
