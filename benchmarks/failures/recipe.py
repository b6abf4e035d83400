"""What a labelled training is: healthy, or broken in one known way from a known step on."""

from dataclasses import dataclass, field
from typing import Any, Literal

from facewright.doctor.finding import Verdict

Half = Literal["development", "held-out", "confirmation", "bugs", "sealed"]

STEPS = 600
BATCH = 32


@dataclass(frozen=True)
class Fault:
    """What goes wrong; nothing, if all is left as it is.

    Args:
        at: step from which on it is so.
        latents: the generator only ever gets so many different latents.
        z_scale: latents are multiplied by this.
        detach: the generator's step does not reach it (a common bug).
        freeze_d: the discriminator learns no more.
        freeze_g: the generator learns no more.
        lr_scale: both learning rates are multiplied by this.
        lr_g_scale: the generator's alone.
        blur: the discriminator sees images averaged over squares of so many pixels.
        drop_pixels: share of pixels hidden from the discriminator, at random.
        swap_labels: share of the discriminator's images that carry the wrong label.
        bias: the generator's images are shifted by this before they are clipped.
        keep_gradients: gradients are never set to zero, and add up.
        black: photos come as black images.
        same_batch: the same photos come in every step.
        sorted_photos: photos come in the order of their brightness.
        raw: photos come from 0 to 255, where the generator draws from -1 to 1.
        swapped: the discriminator learns to call photos generated, and the other way round.
    """

    at: int = 0
    latents: int = 0
    z_scale: float = 1.0
    detach: bool = False
    freeze_d: bool = False
    freeze_g: bool = False
    lr_scale: float = 1.0
    lr_g_scale: float = 1.0
    blur: int = 1
    drop_pixels: float = 0.0
    swap_labels: float = 0.0
    bias: float = 0.0
    keep_gradients: bool = False
    black: bool = False
    same_batch: bool = False
    sorted_photos: bool = False
    raw: bool = False
    swapped: bool = False


@dataclass(frozen=True)
class Recipe:
    """One labelled training.

    Args:
        name: unique.
        label: what it is meant to be.
        half: thresholds may be fitted on development and bugs only; `confirmation.py` and
            `campaign.py` say what the others are for.
        data: "mnist", "celeba" or "utk", at 28 px.
        model: settings of `ModelConfig` for both players.
        d_model: those in which the discriminator differs.
        game: name in `GAMES`.
        r1: weight of the penalty on photos.
        r2: the same on generated images.
        gradient_penalty: weight of WGAN-GP's.
        clip: of the discriminator's weights.
        optimiser: "adam", "rmsprop" or "sgd".
        lr_g: learning rate of the generator.
        lr_d: learning rate of the discriminator.
        beta1: of Adam, or the momentum of SGD.
        d_steps: discriminator's moves before each of the generator's.
        g_steps: generator's moves after it.
        n_train: photos to train on; 0 takes all.
        pretrain: moves of the discriminator alone before the first step.
        real_target: one-sided label smoothing.
        also: other verdicts that would be right.
        fault: what goes wrong.
        steps: of the training.
        batch: photos in a step.
        side: of the photos in pixels; other than 28 they are resized.
    """

    name: str
    label: Verdict
    half: Half
    data: Literal["mnist", "celeba", "utk"]
    model: dict[str, Any] = field(default_factory=dict)
    d_model: dict[str, Any] = field(default_factory=dict)
    game: str = "non-saturating"
    r1: float = 0.0
    r2: float = 0.0
    gradient_penalty: float = 0.0
    clip: float = 0.0
    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    lr_g: float = 2e-4
    lr_d: float = 2e-4
    beta1: float = 0.5
    d_steps: int = 1
    g_steps: int = 1
    n_train: int = 0
    pretrain: int = 0
    real_target: float = 1.0
    also: tuple[Verdict, ...] = ()
    fault: Fault = Fault()
    steps: int = STEPS
    batch: int = BATCH
    side: int = 28
