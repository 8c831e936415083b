"""The currency that a client's cells of money carry.

Here: the sign or code of each column, findings where they say something, the one currency of them all.
Not here: signs and codes in a single cell (files/money_words.py), numbers beside them (files/numbers.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmm_engine.client.config import ClientConfig
from mmm_engine.files.money_words import is_code, money_word, same_money
from mmm_engine.files.table import Table
from mmm_engine.rows.finding import Finding


def words_of_money(config: ClientConfig, table: Table) -> dict[str, str]:
    """The sign or code in the cells of target, channels and costs, or in their formats, by column."""
    names = dict.fromkeys((config.target.column, *config.channel_names, *config.cost_names))
    words = {
        name: money_word(table.columns[name]) or table.currencies.get(name, "")
        for name in names
        if name in table.columns
    }
    return {name: word for name, word in words.items() if word}


def one_currency(words: Mapping[str, str]) -> str:
    """The currency that all columns with a sign or code have, by its code where it is known; empty where they differ.

    Args:
        words: Sign or code by column.
    """
    currencies = {same_money(word) for word in words.values()}
    return currencies.pop() if len(currencies) == 1 else ""


def currency_findings(config: ClientConfig, words: Mapping[str, str]) -> Iterator[Finding]:
    """The codes that stand in cells; a warning where currencies differ, so that a return would mix them.

    Args:
        config: Settings of the client.
        words: Sign or code by column.
    """
    for code in dict.fromkeys(word for word in words.values() if any(map(str.isalpha, word))):
        named = ", ".join(f"'{name}'" for name, word in words.items() if word == code)
        yield Finding(
            "file-form", "note", "", f"numbers of {named} carry '{code}'", f"nothing if all are {code}"
        )
    places = {f"'{name}'": word for name, word in words.items()}
    if is_code(config.currency) and any(is_code(same_money(word)) for word in words.values()):
        places["the client file"] = config.currency
    first = {same_money(word): name for name, word in reversed(places.items())}
    if len(first) > 1:
        listed = ", ".join(f"{name} {places[name]}" for name in reversed(first.values()))
        message = f"money is in different currencies ({listed}): returns would divide one by another"
        yield Finding("mixed-currencies", "warning", "", message, "bring all columns to one currency")
