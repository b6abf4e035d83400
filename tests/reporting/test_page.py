"""The page: complete, self-contained, and deaf to whatever a run has recorded."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from facewright.config import Config, LossConfig, TrainConfig
from facewright.records import environment, record
from facewright.records.run_folder import RunFolder
from facewright.records.run_history import RunHistory
from facewright.reporting.charts import Draws
from facewright.reporting.page import examined, page

VOID = {"meta", "img", "input"}
HOSTILE = "</script></style><script>alert(1)</script><img src=x onerror='alert(1)'>"


class Outline(HTMLParser):
    """Elements, attributes and text of a page; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def render(folder: RunFolder, draws: Draws | None = None) -> str:
    history = RunHistory.read(folder.path)
    return page(history, draws or Draws(), *examined(history))


def test_recorded_values_are_on_the_page(make_run):
    folder = make_run("0007-faces", findings=["faces repeat"], metrics={"kid": 0.0123})
    text = Outline(render(folder)).text
    for value in (
        "0007-faces",
        "finished",
        "classic-celeba28",
        "Faces repeat.",
        "lower both learning rates",
        "kid",
        "0.0123",
        "38.4k",  # 600 steps of 64 images
        "4% of 1,000,000",
        "5f3a9c",
        "0.0002",  # a setting
        "interrupted",  # the first of two sessions
        "(best)",
    ):
        assert value in text, value


def test_settings_that_differ_from_the_default_say_so(make_run):
    config = Config(train=TrainConfig(batch=32), loss=LossConfig(r1=0.5))
    text = Outline(render(make_run(config=config))).text
    assert "32 default 64" in text
    assert "0.5 default 0" in text
    assert text.count("default") == 2


@pytest.mark.parametrize(
    ("draws", "named"),
    [
        (Draws(1.3863, 0.6931), ["draw 1.386", "draw 0.6931"]),
        (Draws(2.0, None), ["draw 2"]),
        (Draws(), []),
    ],
)
def test_a_draw_is_named_where_the_game_has_one(make_run, draws, named):
    assert re.findall(r"draw \d[.\d]*", Outline(render(make_run(), draws)).text) == named


def test_nothing_is_loaded_from_anywhere(make_run):
    text = render(make_run(metrics={"kid": 0.1}))
    outline = Outline(text)
    code = re.sub(r"data:image/png;base64,[^']*", "", text)
    for tag, attributes in outline.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("data:image/png;base64,", "#")), tag
    assert not re.search(r"https?:|//[a-z]", code)
    assert "@import" not in code
    assert not re.search(r"url\((?!#)", code)


def test_only_the_pages_own_script_may_run(make_run):
    outline = Outline(render(make_run()))
    policy = next(m["content"] for m in outline.all("meta") if "http-equiv" in m)
    points, script = outline.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert json.loads(points)["charts"]["losses"]


def test_what_a_run_recorded_never_becomes_code(make_run):
    name = "<img src=x onerror=alert(1)>"  # the one that a folder's name can hold
    folder = make_run(name, findings=[HOSTILE], metrics={HOSTILE: 1.0}, recipe=HOSTILE)
    content = environment.read(folder)
    content["store"] = {HOSTILE: HOSTILE}
    content["sessions"][0] |= {"cpu": HOSTILE, "command": HOSTILE, "gpus": [HOSTILE]}
    folder.environment.write_text(json.dumps(content))

    outline = Outline(render(folder))
    assert len(outline.all("script")) == 2
    assert all(image["src"].startswith("data:") for image in outline.all("img"))
    assert not [k for _, attributes in outline.elements for k in attributes if k.startswith("on")]
    assert outline.text.count("alert(1)") > 5  # shown as what it is


def test_every_picture_and_chart_is_described(make_run):
    outline = Outline(render(make_run()))
    pictures = [image["alt"] for image in outline.all("img")]
    assert "Generated samples after 3,000 images seen" in pictures
    charts = [drawing["aria-label"] for drawing in outline.all("svg")]
    assert any(re.match(r"Losses; Discriminator: 1\.\d+ at first", label) for label in charts)


def test_identifiers_are_unique(make_run):
    identifiers = [a["id"] for _, a in Outline(render(make_run())).elements if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def test_every_sheet_is_in_the_timeline_in_order(make_run):
    outline = Outline(render(make_run()))
    moments = [int(b["data-images"]) for b in outline.all("button") if "data-images" in b]
    assert moments == list(range(0, 38_401, 3_000))


def test_more_sheets_than_fit_are_thinned_evenly_and_counted(make_run, monkeypatch):
    monkeypatch.setattr("facewright.reporting.timeline.MOST_SHEETS", 4)
    outline = Outline(render(make_run()))
    moments = [int(b["data-images"]) for b in outline.all("button") if "data-images" in b]
    assert moments == [0, 12_000, 24_000, 36_000]
    assert "Shown are 4 of 13 sheets." in outline.text


def test_a_damaged_sheet_is_left_out_and_mentioned(make_run):
    folder = make_run()
    folder.sample(3000).write_bytes(b"no picture")
    outline = Outline(render(folder))
    assert "1 damaged sheets are left out." in outline.text
    assert "3000" not in [b.get("data-images") for b in outline.all("button")]


def test_an_empty_run_has_a_page(make_run):
    folder = make_run(steps=1)
    for path in (folder.steps, folder.environment, folder.sample(0)):
        path.unlink()
    outline = Outline(render(folder))
    assert "No step has been recorded yet." in outline.text
    assert "No samples have been drawn yet." in outline.text
    assert "killed" in outline.text


def test_a_run_killed_in_the_middle_says_so(make_run):
    folder = make_run()
    content = environment.read(folder)
    content["sessions"][-1] |= {"ended": None, "images_to": None, "seconds": None}
    content["sessions"][-1] |= {"status": "running", "process": {"id": 1, "started": "never"}}
    folder.environment.write_text(json.dumps(content))
    with folder.steps.open("a") as file:
        file.write('{"step": 601, "images_s')
    text = Outline(render(folder)).text
    assert "killed" in text
    assert "19,200 to ?" in text
    assert "not noted" in text
    assert f"facewright resume {folder.path}" in text
    assert "from 600 recorded steps" in text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_losses_that_are_not_finite_are_marked(make_run, value):
    folder = make_run()
    rows = list(record.read(folder.steps, record.StepRow))
    for row in rows[-5:]:
        row["g_loss"] = value
    folder.steps.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outline = Outline(render(folder))
    (label,) = [d["aria-label"] for d in outline.all("svg") if d["aria-label"].startswith("Losses")]
    assert re.search(r"Generator: .* not finite at \d places", label)
    assert "Crosses: values that were not finite." in outline.text
    assert "NaN" not in outline.scripts[0]


def test_faces_come_before_findings_and_their_codes(make_run):
    text = render(make_run(metrics={"kid": 0.01}))
    titles = re.findall(r"<h2>([^<]+)</h2>", text)
    assert titles.index("Samples through training") < titles.index("Findings")


def test_every_cell_carries_the_name_of_its_column_for_narrow_screens(make_run):
    text = render(make_run(metrics={"kid": 0.01}))
    tables = re.findall(r"<table>.*?</table>", text, flags=re.S)
    assert tables
    for table in tables:
        head = re.findall(r"<th [^>]*>([^<]*)</th>", table)
        for row in re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], flags=re.S):
            assert re.findall(r"<td[^>]* data-name='([^']*)'", row) == head
