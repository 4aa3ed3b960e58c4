"""Every example there is of a finding."""

from __future__ import annotations

from tests.findings import of_content, of_drawings, of_time, of_versions
from tests.findings.example import Example

EXAMPLES: tuple[Example, ...] = (*of_drawings.EXAMPLES, *of_time.EXAMPLES, *of_content.EXAMPLES, *of_versions.EXAMPLES)
