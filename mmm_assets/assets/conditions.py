"""What has to have happened before Dagster makes an asset by itself.

Here: one condition for each stage of a refresh.
Not here: what starts a refresh (automation/), the commands, which walk from stage to stage themselves (refreshes/).
Dagster: https://docs.dagster.io/guides/automate/declarative-automation

Rows lead to windows, windows to fleets, both to history and report, reports to the page of all clients. A stage is
asked for once for each new value of the stage before it, whoever made that: a sensor, a button, a backfill. What a
command makes is left to the command. A stage that failed is not asked for again until there is something new.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from mmm_assets.runs import COMMAND_TAG

_AC = dg.AutomationCondition
Condition = dg.AutomationCondition[Any]

_NEW = _AC.newly_updated() & ~_AC.all_new_updates_have_run_tags(tag_keys={COMMAND_TAG})
_HANDLED = _AC.newly_requested() | _AC.newly_updated()
_QUIET = ~_AC.in_progress() & ~_AC.any_deps_in_progress()


def _since_handled(news: Condition, assets: tuple[str, ...]) -> Condition:
    return _AC.any_deps_match(news).allow(dg.AssetSelection.assets(*assets)).since(_HANDLED)


def _asked_for(assets: tuple[str, ...]) -> Condition:
    """Whether any of the assets is asked for in the present evaluation, so that one run makes both."""
    return _AC.any_deps_match(_AC.will_be_requested()).allow(dg.AssetSelection.assets(*assets))


def after(*assets: str) -> Condition:
    """Made when any of the assets is new; in one run with those of them that are asked for at the same time."""
    return (_since_handled(_NEW, assets) | _asked_for(assets)) & _QUIET


def behind(*assets: str) -> Condition:
    """As `after`, for what one run makes together: not asked for again alone when it was what that run failed at."""
    alone = _since_handled(_NEW, assets) & ~_AC.execution_failed()
    return (alone | _asked_for(assets)) & _QUIET


def once_all_are_done(*assets: str) -> Condition:
    """Made when any of the assets is new and none of what it depends on is under way or about to be."""
    return _since_handled(_NEW, assets) & ~_AC.any_deps_match(_AC.will_be_requested()) & _QUIET


def now_and_then(*assets: str, cron: str) -> Condition:
    """Made when any partition of the assets is new: at once when none is under way, else by the clock."""
    idle = ~_AC.any_deps_in_progress() | _AC.cron_tick_passed(cron)
    return _since_handled(_NEW, assets) & ~_AC.in_progress() & idle


def by_clock_and_version(cron: str) -> Condition:
    """Made when there is none, by the clock, and when its code has changed."""
    due = _AC.newly_missing() | _AC.cron_tick_passed(cron) | _AC.code_version_changed()
    return due.since(_HANDLED) & ~_AC.in_progress()
