"""Where an image came from, written into its file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from facewright import __version__


@dataclass(frozen=True)
class Provenance:
    """What it takes to draw the same images again; no date, so that files stay the same.

    Args:
        model: hex SHA-256 of the model's weights, or of the whole bundle.
        seed: of the latents.
        labels: those requested, by name.
    """

    model: str
    seed: int
    labels: Mapping[str, str] = field(default_factory=dict)

    def chunks(self, **which: int) -> dict[str, str]:
        """PNG text chunks for one file.

        Args:
            which: the image's place in the series of this seed (`index`), or for a sheet how
                many images from the first on it shows (`count`).
        """
        facts = {"tool": "facewright", "version": __version__, "generated": True}
        facts |= {"model_sha256": self.model, "seed": self.seed, **which}
        if self.labels:
            facts["labels"] = dict(self.labels)
        return {"Software": f"Facewright {__version__}", "Comment": json.dumps(facts)}
