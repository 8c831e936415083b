"""Signs and codes of currencies beside numbers: "€ 5", "EUR 1,234.50", "1 234 kr".

Here: which one a column of cells has, a number without it, whether two of them are the same money.
Not here: the numbers themselves (numbers.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 100  # characters of a number that somebody may have meant

_ISO_4217 = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_CODES = frozenset(re.findall("[A-Z]{3}", _ISO_4217))  # of currencies in use
_WORDS = frozenset(
    {"kr", "kr.", "zł", "Kč", "Ft", "lei", "Fr.", "SFr.", "Rs", "Rs.", "Rp", "RM", "лв.", "лв"}
)
_SAME = {
    "€": "EUR",
    "£": "GBP",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "US$": "USD",
    "R$": "BRL",
    "A$": "AUD",
}
_SAME |= {"Fr.": "CHF", "SFr.": "CHF", "kr.": "kr", "₹": "INR", "C$": "CAD", "CA$": "CAD"}

_MINUS = "+\N{MINUS SIGN}-"  # the "-" last: in a set of characters it would mean a range
_BEFORE = re.compile(
    rf"[{_MINUS}]? *([^\W\d_]{{1,3}}\.?|[^\W\d_]{{0,2}}[^\w\s.,;:{_MINUS}]) *[{_MINUS}]?[0-9.,].*"
)
_AFTER = re.compile(r".*[0-9.,] *?([^\W\d_]{1,3}\.?|[^\W\d_]{0,2}[^\w\s.,;:])")


def money_word(cells: Iterable[object]) -> str:
    """The sign or code of the first cell that has one, empty where none has.

    >>> money_word(["12", "EUR 1,234.50"]), money_word(["1 234 kr", "5 kr"]), money_word(["R$ 5"]), money_word(["5 kg"])
    ('EUR', 'kr', 'R$', '')
    """
    return next(
        (word for cell in cells if isinstance(cell, str) and (word := _word_in(cell[:_LONGEST].strip()))), ""
    )


def without_money(text: str, word: str) -> str:
    """A number without the word at its beginning (after or before a minus) or its end.

    >>> without_money("-EUR 5", "EUR"), without_money("5 kr", "kr"), without_money("5 kr", "EUR")
    ('-5', '5', '5 kr')
    """
    if not word or word not in text:
        return text
    if text.endswith(word):
        return text.removesuffix(word).rstrip()
    minus = text[0] if text[0] in _MINUS else ""
    amount = text.removeprefix(minus).lstrip()
    return minus + amount.removeprefix(word).lstrip() if amount.startswith(word) else text


def is_code(word: str) -> bool:
    """Whether a word is a currency's code of ISO 4217."""
    return word in _CODES


def same_money(word: str) -> str:
    """The word under which the same money is known everywhere, as far as it is one.

    >>> same_money("€"), same_money("EUR"), same_money("$")
    ('EUR', 'EUR', '$')
    """
    return _SAME.get(word, word)


def _word_in(text: str) -> str:
    sign = next((letter for letter in text if unicodedata.category(letter) == "Sc"), "")
    for match in (_BEFORE.fullmatch(text), _AFTER.fullmatch(text)):
        if match and (match[1] in _CODES or match[1] in _WORDS or (sign and match[1].endswith(sign))):
            return match[1]
    return sign
