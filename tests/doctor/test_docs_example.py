"""The loop in docs/doctor.md, run as it stands there."""

import re
from pathlib import Path

import torch

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"


def test_the_loop_of_the_page_runs_and_ends_with_a_verdict(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [line[-1] for line in code.splitlines() if re.search(r"  # \d$", line)] == list("12345")
    rng = torch.Generator().manual_seed(0)
    torch.save(torch.rand(600, 1, 28, 28, generator=rng) * 2 - 1, tmp_path / "photos.pt")
    monkeypatch.chdir(tmp_path)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        exec(compile(code, str(PAGE), "exec"), {"STEPS": 30})
    assert capsys.readouterr().out.splitlines()[-1] == "not-applicable"
