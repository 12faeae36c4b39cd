"""Names for the demo: common Japanese names with readings, and towns with number plates.

Any match with a real person is coincidence. The second group of the telephone numbers begins with
0, which is never assigned, and mail addresses are at example.jp.
"""

from dataclasses import dataclass

_FAMILY_NAMES = """
佐藤/サトウ 鈴木/スズキ 高橋/タカハシ 田中/タナカ 伊藤/イトウ 渡辺/ワタナベ 山本/ヤマモト
中村/ナカムラ 小林/コバヤシ 加藤/カトウ 吉田/ヨシダ 山田/ヤマダ 佐々木/ササキ 山口/ヤマグチ
松本/マツモト 井上/イノウエ 木村/キムラ 林/ハヤシ 斎藤/サイトウ 清水/シミズ 山崎/ヤマザキ
森/モリ 池田/イケダ 橋本/ハシモト 阿部/アベ 石川/イシカワ 山下/ヤマシタ 中島/ナカジマ
石井/イシイ 小川/オガワ 前田/マエダ 岡田/オカダ 長谷川/ハセガワ 藤田/フジタ 後藤/ゴトウ
近藤/コンドウ 村上/ムラカミ 遠藤/エンドウ 青木/アオキ 坂本/サカモト 福田/フクダ 太田/オオタ
西村/ニシムラ 藤井/フジイ 金子/カネコ 岡本/オカモト 中野/ナカノ 原田/ハラダ 小野/オノ
田村/タムラ 竹内/タケウチ 中山/ナカヤマ 和田/ワダ 石田/イシダ 上田/ウエダ 森田/モリタ
柴田/シバタ 酒井/サカイ 工藤/クドウ 横山/ヨコヤマ
"""
_GIVEN_NAMES = """
太郎/タロウ 健一/ケンイチ 誠/マコト 隆/タカシ 浩二/コウジ 大輔/ダイスケ 直樹/ナオキ 拓也/タクヤ
翔太/ショウタ 健太/ケンタ 和也/カズヤ 達也/タツヤ 洋平/ヨウヘイ 正樹/マサキ 蓮/レン 湊/ミナト
悠斗/ユウト 陽介/ヨウスケ 修/オサム 勇/イサム 清/キヨシ 茂/シゲル 花子/ハナコ 恵子/ケイコ
裕子/ユウコ 由美/ユミ 直美/ナオミ 久美子/クミコ 真由美/マユミ 智子/トモコ 陽子/ヨウコ
美咲/ミサキ 愛/アイ 彩/アヤ 麻衣/マイ 千尋/チヒロ 葵/アオイ 結衣/ユイ 陽菜/ヒナ 凛/リン
和子/カズコ 幸子/サチコ 節子/セツコ 明美/アケミ
"""
FAMILY_NAMES, GIVEN_NAMES = (
    tuple((written, read) for written, read in (word.split("/") for word in words.split()))
    for words in (_FAMILY_NAMES, _GIVEN_NAMES)
)


@dataclass(frozen=True, slots=True)
class Town:
    """A town: address without its block, number plate, area code."""

    postal_code: str
    address: str
    plate: str
    area_code: str


_TOWNS = """
150-0002 東京都渋谷区渋谷 品川 03
108-0075 東京都港区港南 品川 03
140-0001 東京都品川区北品川 品川 03
160-0022 東京都新宿区新宿 練馬 03
154-0004 東京都世田谷区太子堂 世田谷 03
220-0012 神奈川県横浜市西区みなとみらい 横浜 045
231-0023 神奈川県横浜市中区山下町 横浜 045
210-0007 神奈川県川崎市川崎区駅前本町 川崎 044
330-0854 埼玉県さいたま市大宮区桜木町 大宮 048
260-0013 千葉県千葉市中央区中央 千葉 043
460-0008 愛知県名古屋市中区栄 名古屋 052
450-0002 愛知県名古屋市中村区名駅 名古屋 052
471-0025 愛知県豊田市西町 豊田 0565
420-0852 静岡県静岡市葵区紺屋町 静岡 054
530-0001 大阪府大阪市北区梅田 なにわ 06
542-0085 大阪府大阪市中央区心斎橋筋 なにわ 06
650-0021 兵庫県神戸市中央区三宮町 神戸 078
730-0011 広島県広島市中区基町 広島 082
812-0011 福岡県福岡市博多区博多駅前 福岡 092
980-0021 宮城県仙台市青葉区中央 仙台 022
"""
TOWNS = tuple(Town(*line.split()) for line in _TOWNS.strip().splitlines())
