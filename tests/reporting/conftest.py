"""A run folder like those that training writes, without the training."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from facewright.config import Config
from facewright.doctor.snapshot import Snapshot
from facewright.images import grid, save_png
from facewright.records import checkpoints, environment, record
from facewright.records.run_folder import RunFolder
from facewright.settings import to_toml

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A function that writes a run and gives its folder; see `write_run`."""

    def make(name: str = "run", **choices: Any) -> RunFolder:
        return write_run(tmp_path / name, **choices)

    return make


def write_run(
    path: Path,
    *,
    steps: int = 600,
    config: Config | None = None,
    recipe: str = "classic-celeba28",
    findings: Sequence[str] = (),
    metrics: Mapping[str, float] | None = None,
    looks: Sequence[Snapshot] = (),
    store_path: Path = Path("stores/faces"),
) -> RunFolder:
    """A finished run in two sessions, with noisy curves and samples that become faces.

    Args:
        path: folder to make.
        steps: recorded steps; the run has sample sheets at 13 moments or fewer.
        config: settings.
        recipe: what they started from.
        findings: one message for each problem noticed.
        metrics: name -> value at the end; each is measured at four moments.
        looks: of the doctor, oldest first.
        store_path: where the photos are said to lie.
    """
    folder, config = RunFolder(path), config or Config()
    path.mkdir(parents=True)
    folder.config.write_text(to_toml(config))
    batch = config.train.batch
    half, end = steps // 2 * batch, steps * batch
    store = {"path": str(store_path), "content_hash": "5f3a9c", "train": 9000, "val": 1000}
    environment.begin_session(folder, store, 0, recipe=recipe)
    environment.end_session(folder, half, half / 1100, "interrupted")
    environment.begin_session(folder, store, half)
    environment.end_session(folder, end, (end - half) / 1100, "finished")
    record.append(folder.steps, step_rows(steps, batch))
    for moment in range(0, end + 1, max(1000, end // 12 // 1000 * 1000)):
        save_png(sheet(moment / end), folder.sample(moment))
        add_checkpoint(folder, moment, score=1 / (moment + 1))
    record.append(folder.findings, map(finding, findings))
    record.append(folder.snapshots, [look.as_json() for look in looks])
    for name, value in (metrics or {}).items():
        record.append(folder.metrics, metric_rows(name, value, end))
    return folder


def step_rows(steps: int, batch: int) -> list[dict[str, float]]:
    """Curves of a game in which the discriminator slowly gets ahead."""
    rng = np.random.default_rng(0)
    rows = []
    for step in range(1, steps + 1):
        t, noise = step / steps, rng.normal(size=8)
        gap = 1.6 * t**0.5 + 0.35 * noise[0]
        real, fake = gap / 2 + 0.1 * noise[1], -gap / 2 + 0.1 * noise[2]
        rows.append(
            {
                "step": step,
                "images_seen": step * batch,
                "d_loss": float(np.logaddexp(0, -real) + np.logaddexp(0, fake)),
                "g_loss": float(np.logaddexp(0, -fake)),
                "d_real": float(1 / (1 + np.exp(-real))),
                "d_fake": float(1 / (1 + np.exp(-fake))),
                "real_logit": real,
                "fake_logit": fake,
                "real_logit_std": 0.6,
                "fake_logit_std": 0.5,
                "paired_accuracy": float(np.clip(0.5 + 0.22 * gap, 0, 1)),
                "d_penalty": 0.0,
                "d_grad_norm": float(np.exp(0.8 * t + 0.4 * noise[3])),
                "g_grad_norm": float(np.exp(-1 + 1.5 * t + 0.5 * noise[4])),
                "seconds": step * batch / 1100,
                "images_per_second": 1100 + 40 * noise[5],
            }
        )
    return rows


def sheet(progress: float) -> np.ndarray:
    """64 simple drawings of faces under noise that fades as training goes on."""
    rng = np.random.default_rng(7)
    faces = np.stack([drawing(rng) for _ in range(64)])
    noise = rng.integers(0, 256, faces.shape)
    return grid((faces * progress**0.3 + noise * (1 - progress**0.3)).astype(np.uint8))


def drawing(rng: np.random.Generator) -> np.ndarray:
    """One 28 px face: background, head, hair, eyes and mouth."""
    back, skin, hair = (tuple(map(int, rng.integers(low, 240, 3))) for low in (60, 140, 20))
    image = Image.new("RGB", (28, 28), back)
    pen = ImageDraw.Draw(image)
    pen.ellipse((5, 2, 22, 20), fill=hair)
    pen.ellipse((7, 6, 20, 25), fill=skin)
    for left in (10, 16):
        pen.rectangle((left, 13, left + 1, 14), fill=(25, 20, 20))
    pen.line((11, 20, 16, 20), fill=(150, 50, 50))
    return np.asarray(image)


def finding(message: str) -> dict[str, Any]:
    """A problem as a monitor writes it."""
    return {
        "code": f"NC{len(message):02}",
        "verdict": "oscillation",
        "message": message,
        "evidence": {"step": 10},
        "first_seen_images": 640,
        "remedy": "lower both learning rates",
        "source": "arXiv:1801.04406",
    }


def metric_rows(name: str, value: float, end: int) -> list[dict[str, Any]]:
    """A metric that falls to a value over four measurements."""
    return [
        {
            "name": name,
            "value": value * (5 - quarter),
            "interval": [value * (5 - quarter) - 0.01, value * (5 - quarter) + 0.01],
            "n_real": 1000,
            "n_fake": 1000,
            "features": "pixels",
            "images_seen": end * quarter // 4,
        }
        for quarter in (1, 2, 3, 4)
    ]


def add_checkpoint(folder: RunFolder, images_seen: int, score: float) -> None:
    """The state of a checkpoint; reports read no tensors."""
    state = {
        "step": images_seen // 64,
        "images_seen": images_seen,
        "seconds": images_seen / 1100,
        "score": score,
    }
    checkpoints.write(folder.checkpoints, f"{images_seen // 1000:06d}k", {}, state)
