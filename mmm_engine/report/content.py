"""All numbers and words of one client's report.

Here: which sections a report has, in which order, for which reader.
Not here: what a section says (sections/, headline.py, client_page.py), drawing (figures/), HTML (render.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mmm_engine.report import numbers, wording
from mmm_engine.report.client_page import client_sections, client_summary
from mmm_engine.report.headline import build_summary
from mmm_engine.report.inputs import Audience, ReportInputs
from mmm_engine.report.page import Chart, ReportContent, Section
from mmm_engine.report.sections.budget import budget_section
from mmm_engine.report.sections.contribution import contribution_section
from mmm_engine.report.sections.diagnostics import residual_section, sampler_section
from mmm_engine.report.sections.diff import diff_section
from mmm_engine.report.sections.fit import fit_section
from mmm_engine.report.sections.forecast import forecast_section
from mmm_engine.report.sections.provenance import checks_section, findings_section, provenance_section
from mmm_engine.report.sections.recent import recent_section
from mmm_engine.report.sections.response import curves_section, multiplier_section
from mmm_engine.report.sections.returns import returns_section
from mmm_engine.report.sections.trust import holdout_section, trust_section
from mmm_engine.report.subject import Subject

#: Reading order. A builder returns None when the refresh has nothing to show for it.
SECTIONS: tuple[Callable[[Subject], Section | None], ...] = (
    budget_section,
    recent_section,
    diff_section,
    fit_section,
    contribution_section,
    returns_section,
    curves_section,
    multiplier_section,
    holdout_section,
    trust_section,
    forecast_section,
    sampler_section,
    residual_section,
    checks_section,
    findings_section,
    provenance_section,
)

#: Sections that a reader on a phone opens on purpose: what only somebody who judges the model itself looks at. Of the
#: others a phone shows what stands up to their first chart.
_FOR_FEW = frozenset(
    {"diff", "multiplier", "holdout", "trust", "sampler", "residuals", "checks", "findings", "provenance"}
)


def build_content(
    inputs: ReportInputs, audience: Audience = "analyst", diagnostics: str = ""
) -> ReportContent:
    """Everything the report of one client says.

    Args:
        inputs: Frames and facts of one refresh.
        audience: "analyst" shows all in reading order; "client" is one short page without diagnostics.
        diagnostics: Relative address of the analyst's report, which a client's page links to.

    Returns:
        Plain numbers, strings and the frames its charts are drawn from.
    """
    subject = Subject(inputs)
    client = wording.safe_text(inputs.client, 120)
    dates = inputs.full.predictions["date"]
    if audience == "client":
        summary, sections = client_summary(subject), client_sections(subject)
    else:
        summary = build_summary(subject)
        built = (section for build in SECTIONS if (section := build(subject)) is not None)
        sections = tuple(replace(section, on_phone=_shown_on_phone(section)) for section in built)
    return ReportContent(
        client=client,
        title=f"Marketing mix of {client}",
        subtitle=(
            f"{subject.target[:1].upper()}{subject.target[1:]}, {subject.periods(len(dates))} "
            f"from {numbers.day(dates.min())} to {numbers.day(dates.max())}"
        ),
        recorded=f"{numbers.day(inputs.run.recorded_at)} {inputs.run.recorded_at:%H:%M}",
        audience=audience,
        summary=summary,
        sections=sections,
        diagnostics=diagnostics if audience == "client" else "",
    )


def _shown_on_phone(section: Section) -> int | None:
    """How many items of a section a phone shows before somebody asks for more; None: all of them."""
    if section.id in _FOR_FEW:
        return 0
    first = next((place for place, item in enumerate(section.items, 1) if isinstance(item, Chart)), None)
    return first if first is not None and first < len(section.items) else None
