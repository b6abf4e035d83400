"""What a run is: every setting, its type, bounds, default and meaning, in one place.

How they are read, checked and written: `settings.py`.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from facewright.schema import Bound

ModelName = Literal["dcgan", "mlp", "resnext"]
ActivationName = Literal["relu", "leaky-relu", "sigmoid", "tanh"]
ColourName = Literal["full", "half"]
NormalisationName = Literal["batch", "generator-batch", "none", "spectral", "virtual"]
PrecisionName = Literal["auto", "fp32", "bf16"]
SlopeName = Literal["exact", "finite-difference", "antithetic-noise"]
SignalName = Literal["held-out", "sign"]

Count = Annotated[int, Bound(0)]
Positive = Annotated[int, Bound(1)]
NonNegative = Annotated[float, Bound(0)]
Share = Annotated[float, Bound(0, at_most=1)]
BelowOne = Annotated[float, Bound(0, below=1)]


@dataclass(frozen=True)
class DataConfig:
    """How stored photos become batches."""

    flip: bool = True
    """Show each photo mirrored half of the time (wrong for digits)."""
    labels: tuple[str, ...] = ()
    """Labels of the store that both networks are conditioned on, so that faces can be requested by
    them: binary ones or classes. None: an unconditional model."""
    class_photos: Count = 10
    """Training photos that a class must have, on average over the classes of a label; with fewer,
    no training begins, as the numbers of a misread column may have become classes."""


@dataclass(frozen=True)
class ModelConfig:
    """The two networks."""

    name: ModelName = "dcgan"
    """`dcgan`: strided convolutions; `mlp`: the fully connected pair of 2014; `resnext`:
    residual blocks, as large as wanted."""
    z_dim: Positive = 100
    """Length of the latent vector."""
    width: Positive = 64
    """Channels of the largest maps of half the image's size (dcgan), doubled with each halving;
    the mlp's hidden units are a multiple of it."""
    full_width: Count = 0
    """Channels of one more layer in each player, at the image's full size (dcgan); 0: none."""
    colour: ColourName = "full"
    """Resolution of the colour that the players draw and see (dcgan): `half` that of brightness,
    as in many JPEG files; wrong where colour changes from pixel to pixel."""
    kernel: int = 5
    """Side of the convolution filters (dcgan): 3, 5, 7 or 11; 1, to see why that fails."""
    activation: ActivationName = "leaky-relu"
    """Activation of the hidden layers (dcgan)."""
    normalisation: NormalisationName = "batch"
    """Normalisation of the hidden layers (dcgan). `generator-batch` and `virtual` act in the
    generator only; `spectral` in the discriminator, beside batch norm in the generator."""
    dropout: BelowOne = 0.0
    """Share of discriminator units dropped (mlp)."""
    minibatch_kernels: Count = 0
    """Kernels of minibatch discrimination in the discriminator; 0 switches it off."""
    widths: tuple[Positive, ...] = ()
    """Channels of each stage, from the smallest map to the largest (resnext)."""
    blocks: Positive = 2
    """Residual blocks in each stage (resnext)."""
    group_width: Positive = 16
    """Channels that each filter inside a block sees (resnext)."""
    patch: Positive = 1
    """Side of the squares of pixels that the largest map stands for (resnext): 2 saves the
    stage at full size."""


@dataclass(frozen=True)
class LossConfig:
    """The game and what is added to it."""

    game: str = "non-saturating"
    """The pair of losses."""
    r1: NonNegative = 0.0
    """Weight gamma of gamma/2 * squared gradient norm on real images."""
    r2: NonNegative = 0.0
    """The same on generated images."""
    gradient_penalty: NonNegative = 0.0
    """Weight of (gradient norm - 1) squared between real and generated images."""
    slope: SlopeName = "exact"
    """How r1 and r2 measure the gradient. `finite-difference`: from the logits of the image with
    a little noise to either side, without second derivatives; faster, and on average right for a
    discriminator that bends little within that noise. `antithetic-noise`: the same with the
    instance noise, which must not fade, so that one more forward pass is enough; faster still."""
    penalty_every: Positive = 1
    """Discriminator updates from one with penalties to the next; theirs weigh as much more."""
    clip: NonNegative = 0.0
    """Clip the discriminator's weights to [-clip, clip]; 0 switches it off."""
    feature_matching: bool = False
    """The generator matches mean discriminator features instead of winning the game."""
    real_target: float = 1.0
    """One-sided label smoothing: what the discriminator should say of real images."""
    historical_averaging: NonNegative = 0.0
    """Weight of the squared distance to the mean of each player's past weights."""
    instance_noise: NonNegative = 0.0
    """Standard deviation of the noise on every image, real or generated, that the discriminator
    sees."""
    instance_noise_images: Count = 0
    """Images after which that noise has faded to nothing, evenly; 0: it never fades."""


@dataclass(frozen=True)
class AugmentConfig:
    """How images are distorted, by chance, before the discriminator sees them."""

    probability: Share = 0.0
    """How likely each kind of distortion is to meet each image; 0 switches all off."""
    colour: bool = True
    """Brightness, saturation and contrast."""
    translation: bool = True
    """Moved by up to an eighth of the side."""
    cutout: bool = True
    """A square of half the side greyed out."""
    scale: bool = False
    """Nearer or farther, by up to a quarter."""
    rotation: bool = False
    """Tilted by up to 10 degrees."""
    adaptive: bool = False
    """Make distortions more likely while photos are being memorised, and less likely when they are
    not, starting from `probability`."""
    signal: SignalName = "held-out"
    """How memorising is noticed: `held-out`, the share of pairs in which a training photo is rated
    above a held-out one (0.5: nothing memorised); `sign`, how many more training photos are taken
    for real than for generated (-1 to 1), which needs a game with an absolute verdict."""
    target: Share = 0.0
    """Value of the signal to be kept; 0: 0.52 for `held-out`, or what chance alone may do to few
    photos, and 0.6 for `sign`."""
    images: Positive = 100_000
    """Images over which the probability could go from 0 to 1."""
    maximum: Share = 0.8
    """Where it stops; beyond 0.8 the generator may begin to make distorted images."""


@dataclass(frozen=True)
class OptimiserConfig:
    """Adam for both players."""

    lr_g: NonNegative = 2e-4
    """Learning rate of the generator."""
    lr_d: NonNegative = 2e-4
    """Learning rate of the discriminator."""
    beta1: BelowOne = 0.5
    """Decay rate of the mean of gradients."""
    beta2: BelowOne = 0.999
    """Decay rate of the mean of squared gradients."""


@dataclass(frozen=True)
class TrainConfig:
    """How long, how many at once, how precisely."""

    images: Positive = 1_000_000
    """Real images shown to the discriminator, in all."""
    batch: Annotated[int, Bound(2)] = 64
    """Images in a step, over all processes; batch statistics of one image are not defined."""
    micro_batch: Count = 0
    """Images that go through a network at once, in each process; 0: all of the batch. Less
    takes less memory and gives the same updates, up to rounding."""
    d_steps: Positive = 1
    """Discriminator updates in each step, before the generator's."""
    g_steps: Positive = 1
    """Generator updates in each step."""
    hold_generator: Count = 0
    """Images at the beginning for which the generator's weights stay as they are and only the
    discriminator learns: for a generator that is trained already beside a discriminator that is
    not (`--init-from` a bundle)."""
    seed: int = 0
    """Every random number of the run follows from it."""
    precision: PrecisionName = "auto"
    """`auto`: bf16 where the machine has it in hardware, else fp32."""
    ema_images: NonNegative = 10_000.0
    """Half-life, in images, of the EMA generator that makes the samples; at most a tenth of
    the images that the run has seen."""

    def at_once(self, devices: int = 1) -> int:
        """How many images go through a network at once, where so many processes share a batch?"""
        own = self.batch // devices
        return min(self.micro_batch or own, own)


@dataclass(frozen=True)
class ScheduleConfig:
    """How settings change once in a run, from or to these values: at first, or late."""

    images: Count = 0
    """Images over which they change; 0: everything stays as set."""
    after: Count = 0
    """Images before that."""
    lr_to: NonNegative = 1.0
    """Both learning rates at the end of the change, as a share of those set."""
    penalty_to: NonNegative = 1.0
    """The same for the weights of penalties on the discriminator's gradient."""
    beta2_to: BelowOne = 0.0
    """Adam's beta2 at its end; 0: as set."""
    ema_from: NonNegative = 1.0
    """Half-life of the EMA generator at its beginning, as a share of the one set."""
    augment_from: Share = 1.0
    """The same for the probability of distortions."""


@dataclass(frozen=True)
class RecordConfig:
    """What a run writes down and when."""

    checkpoint_images: Positive = 100_000
    """Images between two checkpoints."""
    sample_images: Positive = 50_000
    """Images between two sample sheets of the same latents."""
    keep_last: Positive = 2
    """How many of the newest checkpoints are kept; the best is kept besides."""
    score_samples: Count = 1_000
    """Held-out and generated images compared for 'best'; 0 switches it off."""
    final_samples: Count = 10_000
    """Images that `facewright evaluate` measures at the end of a run of ten minutes or more,
    where the weights of Inception are at hand; 0 switches it off."""
    snapshot_images: Count = 12_800
    """Images between two snapshots of both players by the doctor; 0 for none."""
    equilibrium_images: Count = 256_000
    """Images between two measurements of the distance from equilibrium; 0 for none."""
    tensorboard: bool = False
    """Also write TensorBoard events (extra `tensorboard`)."""


@dataclass(frozen=True)
class Config:
    """Everything that decides how a run goes, besides the photos."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    record: RecordConfig = field(default_factory=RecordConfig)
