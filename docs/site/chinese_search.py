"""Lets readers search in Chinese, which has no spaces between words.

The index has each character and each pair of neighbours. What a reader types is split into words
by the browser, and a page is found if it has all pairs of all words. (Sphinx's own search in
Chinese needs a dictionary, and leaves what is typed as one word.)
"""

import re

from sphinx.search import SearchLanguage

_PART = re.compile(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+")


class ChineseSearch(SearchLanguage):
    """Splits Chinese into characters and pairs of them, and everything else into words."""

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = r"""
function splitQuery(query) {
  const words = [...new Intl.Segmenter('zh', { granularity: 'word' }).segment(query)];
  return words.filter((word) => word.isWordLike).flatMap(({ segment }) =>
    /^[\u4e00-\u9fff]{2,}$/.test(segment)
      ? Array.from({ length: segment.length - 1 }, (_, i) => segment.slice(i, i + 2))
      : [segment]);
}
"""

    def split(self, input: str) -> list[str]:
        return [word for part in _PART.findall(input) for word in _words(part)]


def _words(part: str) -> list[str]:
    """Return the entries of a run of Chinese characters, or of a word in other letters."""
    if not "\u4e00" <= part[0] <= "\u9fff":
        return [part.lower()]
    return [*part, *(part[i : i + 2] for i in range(len(part) - 1))]
