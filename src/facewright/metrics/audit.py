"""Has a generator memorised its training photos? All tests together, and the verdict."""

from collections.abc import Mapping

import torch

from facewright.errors import MetricError
from facewright.metrics.audit_result import Audit, SpaceAudit, Verdict
from facewright.metrics.closeness import AuditSpace, Closeness, closeness
from facewright.metrics.comparison import Comparison, least_noticed
from facewright.metrics.copying import copying
from facewright.metrics.memorisation import (
    CALIBRATION,
    authenticity,
    calibrated,
    closest_tail,
    quantile_ratios,
)
from facewright.metrics.pairs import Pair

FALSE_ALARM = 0.001
"""Chance that an honest generator is called a copier, and chance that an honest one is left
open because of its closest images. Each is divided by the number of spaces (Bonferroni)."""

SUSPICIOUS = 0.05
"""Where so large an excess of suspects would be chance less often than this, it stays open."""

LARGEST_MISSED = 0.1
"""With so few images that a larger share of copies could go unnoticed, nothing is said."""

FEWEST_DIMENSIONS = 32
"""In fewer, fresh photos have ratios as low as copies have."""

SHOWN = 16
"""Pairs on the sheet."""


def audit(spaces: Mapping[str, AuditSpace], *, seed: int = 0) -> Audit:
    """Has the generator memorised photos that it was trained on?

    An honest generator's images lie as close to the training photos as fresh photos of the
    same kind do. Copies show as images with one training photo far closer than all others;
    the verdict is about how many there are, compared with held-out photos.

    Args:
        spaces: the same images as seen in different ways, for example "pixels" and "face".
        seed: of the regions and of resampling.

    Returns:
        The verdict "copies found" has a false alarm rate of at most `FALSE_ALARM` for images
        that are exchangeable with the held-out photos; likewise "cannot tell" because of the
        closest tail. It is also "cannot tell" when suspects are in excess of the held-out
        photos' at the level of `SUSPICIOUS`, which one honest generator in twenty may show.

    Raises:
        MetricError: no space, spaces of different images, or of fewer than 32 dimensions.

    Blind spot: photos of which the training set holds dozens of near copies; copies altered
    beyond what the features see through; and fewer copies than `least_noticed` says.
    """
    n_train, n_val, n_fake = _counts(spaces)
    near = {name: closeness(space) for name, space in spaces.items()}
    level = FALSE_ALARM / len(spaces)
    found = {name: _examine(spaces[name], near[name], level, seed) for name in spaces}
    suspicious = torch.stack([n.fake_ratio < CALIBRATION for n in near.values()]).any(dim=0)
    suspected = Comparison.of(
        suspicious, torch.stack([n.val_ratio < CALIBRATION for n in near.values()]).any(dim=0)
    )
    suspects = tuple(suspicious.nonzero()[:, 0].tolist())
    verdict, reasons = _verdict(found, level)
    if verdict == "no sign of copying" and suspects:
        share = (
            f"{len(suspects)} of {n_fake:,} generated images are as close to a photo as copies are"
        )
        if suspected.p_more < SUSPICIOUS:
            verdict = "cannot tell"
            reasons = (
                f"{share} ({_both(suspected)}): too few to be sure, too many to be clear of it. "
                "They come first on the sheet of pairs.",
            )
        else:
            reasons += (f"{share} ({_both(suspected)}). They come first on the sheet of pairs.",)
    pairs = _closest_of_all(found)
    return Audit(verdict, reasons, suspected, suspects, found, pairs, n_train, n_val, n_fake)


def _counts(spaces: Mapping[str, AuditSpace]) -> tuple[int, int, int]:
    """How many images of each kind all spaces hold."""
    if not spaces:
        raise MetricError(
            "no space to audit in",
            expected="pixels or features",
            fix="the spaces of one store and one extractor",
        )
    counts = {(len(s.train), len(s.val), len(s.fake)) for s in spaces.values()}
    if len(counts) != 1:
        raise MetricError(
            f"{len(counts)} different numbers of images",
            expected="the same images in each space",
            fix="spaces made of the same arrays",
        )
    for name, space in spaces.items():
        if space.train.shape[1] < FEWEST_DIMENSIONS:
            raise MetricError(
                f"{space.train.shape[1]} dimensions ({name})",
                expected=f"at least {FEWEST_DIMENSIONS}: with fewer, fresh photos look like copies",
                fix="pixels, or features of more dimensions",
            )
    return counts.pop()


def _examine(space: AuditSpace, near: Closeness, level: float, seed: int) -> SpaceAudit:
    """All tests in one space."""
    below = int((near.val_ratio < CALIBRATION).sum())
    return SpaceAudit(
        calibrated=calibrated(near),
        closest_tail=closest_tail(near),
        authenticity=authenticity(near),
        copying=copying(space, near, seed=seed),
        quantile_ratios=quantile_ratios(near, seed=seed),
        least_noticed=least_noticed(len(space.fake), below, len(space.val), level),
        pairs=_closest_pairs(near),
    )


def _closest_pairs(near: Closeness) -> tuple[Pair, ...]:
    """The generated images with the lowest ratios, and their nearest training photos."""
    count = len(near.own)
    pairs = []
    for fake in near.fake_ratio.argsort(stable=True)[:SHOWN].tolist():
        photo = int(near.fake.indices[fake, 0])
        pairs.append(Pair(fake, photo % count, photo >= count, float(near.fake_ratio[fake])))
    return tuple(pairs)


def _closest_of_all(found: Mapping[str, SpaceAudit]) -> tuple[Pair, ...]:
    """The lowest ratios of all spaces, each generated image once."""
    once: dict[int, Pair] = {}
    everything = [pair for space in found.values() for pair in space.pairs]
    for pair in sorted(everything, key=lambda pair: pair.ratio):
        once.setdefault(pair.fake, pair)
    return tuple(once.values())[:SHOWN]


def _verdict(found: dict[str, SpaceAudit], level: float) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and why."""
    copied = [name for name, space in found.items() if space.calibrated.p_more <= level]
    if copied:
        return "copies found", tuple(
            f"In {name}, {_both(found[name].calibrated)} are far closer to one training photo "
            "than to all others."
            for name in copied
        )
    least = min(space.least_noticed for space in found.values())
    if least > LARGEST_MISSED:
        return "cannot tell", (
            f"With so few images, or so many held-out photos that have twins among the training "
            f"photos, copies could make up {LARGEST_MISSED:.0%} and go unnoticed.",
        )
    crowded = [name for name, space in found.items() if space.closest_tail.p_more <= level]
    if crowded:
        return "cannot tell", tuple(
            f"In {name}, {_both(found[name].closest_tail)} are among the closest of all, yet not "
            "as close as plain copies. Altered copies look like this, and so can a generator "
            "that repeats itself."
            for name in crowded
        )
    return "no sign of copying", (
        "Generated images are not clearly more often close to a single training photo than "
        f"held-out photos are. Copies would have been noticed from about {least:.1%} on.",
    )


def _both(share: Comparison) -> str:
    return (
        f"{share.fake.value:.1%} of the generated images and {share.val.value:.1%} of the "
        "held-out photos"
    )
