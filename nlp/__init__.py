"""Text in, labels out: pure, versioned, batch first."""

from nlp.base import Analysis, Label, Personal, Place, Text

TOPICS = ("城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输")
SENTIMENTS = ("negative", "neutral", "positive")

__all__ = ["SENTIMENTS", "TOPICS", "Analysis", "Label", "Personal", "Place", "Text"]
