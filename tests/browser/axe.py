"""What axe-core says against a page: the faults that keep somebody out, and no more."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

# Of the rules these alone look at colors: where the elements are the same, the other scheme asks for no more.
_COLOR_RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
# A change of the scheme fades where the style says so: halfway, no color is one that anybody chose.
_RUN = """async options => {
  const passing = document.getAnimations().filter(one => one.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(passing.map(one => one.finished));
  const found = await axe.run(document, {...options, resultTypes: ["violations"]});
  return found.violations
    .filter(fault => ["serious", "critical"].includes(fault.impact))
    .map(fault => `${fault.id} ${JSON.stringify(fault.nodes.map(node => node.target))}`);
}"""


def bring_axe(context: BrowserContext) -> None:
    """Every page that is opened from now on has axe-core, before its own scripts."""
    context.add_init_script(script=AXE_SCRIPT)


def serious_faults(page: Page, *, colors_only: bool = False) -> list[str]:
    """By all rules, or by those about colors; of a page whose context has axe-core or that gets it here."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = _COLOR_RULES if colors_only else {}
    faults: list[str] = page.evaluate(_RUN, options)
    return faults
