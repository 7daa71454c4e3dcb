"""The lists of the invented office that sentences.tsv assumes."""

from __future__ import annotations

from nlp.checking import Phrase, Policy, Word

POLICY = Policy(
    titles=(
        ("林国安", ("市委书记",)),
        ("陈素华", ("市委副书记", "市长")),
        ("高明远", ("市人大常委会主任",)),
        ("何静宜", ("市政协主席",)),
        ("周文博", ("副市长",)),
    ),
    orders=(("林国安", "陈素华", "高明远", "何静宜", "周文博"),),
    phrases=(Phrase("临江政务服务一网通办"),),
    prohibited=(Word("攀云计划"), Word("残废人", "残疾人"), Word("低端人口")),
    own_hosts=("linjiang.gov.cn",),
)
