"""What stands in the files of a run folder: the fields that readers rely on, and their types.

Files of later versions may have more fields, and of earlier ones fewer; `NotRequired` says which.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from facewright.schema import Bound, Number, WholeNumber

Seconds = Annotated[float, Bound(0)]
Side = Annotated[int, Bound(1, at_most=1 << 16)]
SHA256 = str
"""In hex."""


class Moment(TypedDict):
    """What every row of a run's timeline has: it is cut there when the run goes back."""

    images_seen: WholeNumber


class FindingRow(TypedDict):
    """`findings.jsonl`; see `doctor.finding.Finding`."""

    code: str
    verdict: str
    message: str
    evidence: dict[str, Any]
    first_seen_images: WholeNumber
    images_seen: NotRequired[WholeNumber]
    looks: NotRequired[WholeNumber]
    active: NotRequired[bool]
    remedy: str
    source: str
    grade: NotRequired[Literal["watch", "problem"]]


class MetricRow(TypedDict):
    """`metrics.jsonl`; see `metrics.evaluate.MetricResult`."""

    name: str
    value: Number
    interval: NotRequired[tuple[Number | None, Number | None] | None]
    floor: NotRequired[Number | None]
    n_real: NotRequired[WholeNumber | None]
    n_fake: NotRequired[WholeNumber | None]
    features: NotRequired[str | None]
    against: NotRequired[str | None]
    images_seen: NotRequired[WholeNumber | None]
    final: NotRequired[bool]


class RemedyRow(Moment):
    """`remedies.jsonl`; what has no `remedy` was changed by hand."""

    changed: list[str]
    before: dict[str, Any]
    after: dict[str, Any]
    remedy: NotRequired[str]
    verdict: NotRequired[str]
    reason: NotRequired[str]
    failed_at_images: NotRequired[WholeNumber]


class LookRow(Moment):
    """One of `snapshots.jsonl`, as far as mending goes by it; whole: `doctor.snapshot.Snapshot`."""

    distance: Number
    coverage: Number


class StoreNote(TypedDict, total=False):
    """The photos of a run."""

    path: str
    content_hash: SHA256
    train: WholeNumber
    val: WholeNumber


class DonorNote(TypedDict):
    """The model whose weights a run began with."""

    name: str
    path: str
    sha256: SHA256
    images_seen: WholeNumber
    terms: NotRequired[str]


class FacewrightNote(TypedDict, total=False):
    """What trained a run."""

    version: str | None
    recipe: str
    init_from: DonorNote | None


class ProcessNote(TypedDict):
    """A process that trains."""

    id: Annotated[int, Bound(1, at_most=1 << 31)]
    started: str | None


class SessionNote(TypedDict):
    """One time that training was started or resumed; see `environment.snapshot`."""

    started: str
    ended: str | None
    status: str
    images_from: WholeNumber
    images_to: WholeNumber | None
    seconds: Seconds | None
    process: NotRequired[ProcessNote]
    os: str
    python: str
    versions: dict[str, str | None]
    cpu: str
    cores: WholeNumber
    threads: WholeNumber
    memory_gib: Seconds
    gpus: list[str]
    git: str | None
    command: str


class EnvironmentNote(TypedDict):
    """`environment.json`."""

    store: StoreNote
    facewright: FacewrightNote
    sessions: list[SessionNote]


class AdaptationNote(TypedDict):
    """See `objective.ada.Adaptation`."""

    probability: Annotated[float, Bound(0, at_most=1)]
    of: str
    signal: Number


class CheckpointState(TypedDict):
    """`state.json` of a checkpoint, as far as every one has it."""

    format: int
    step: WholeNumber
    images_seen: WholeNumber
    seconds: Seconds
    sha256: dict[str, SHA256]
    state_sha256: SHA256
    score: NotRequired[Number | None]
    score_of: NotRequired[str]
    adaptation: NotRequired[AdaptationNote]
    optimisers: NotRequired[dict[str, Any]]


class ModelState(CheckpointState):
    """What a checkpoint says of its networks beside their weights."""

    shape: tuple[Side, Side, Side]
    config: dict[str, Any]
    conditions: NotRequired[dict[str, Any]]
