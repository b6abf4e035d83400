"""All labelled trainings: those to fit thresholds on, and those to test them with.

The two halves share no recipe, and no data set but digits: faces are CelebA in one and
UTKFace in the other. Where a fault starts in the middle, the training was healthy until then.
"""

from functools import partial
from typing import Any, Final

from benchmarks.failures.campaign import CAMPAIGN
from benchmarks.failures.confirmation import CONFIRMATION
from benchmarks.failures.recipe import Fault, Recipe

PLAIN = {"normalisation": "none"}
NO_NORM_D: dict[str, Any] = {"d_model": PLAIN}
WIDE = {"normalisation": "none", "width": 40}
R3: dict[str, Any] = {
    "game": "relativistic",
    "r1": 0.5,
    "r2": 0.5,
    "lr_g": 5e-4,
    "lr_d": 5e-4,
    "beta1": 0.0,
    **NO_NORM_D,
}
MLP: dict[str, Any] = {"name": "mlp", "width": 60, "dropout": 0.0}
MIDDLE = 300

_dev = partial(Recipe, half="development")
_test = partial(Recipe, half="held-out")

HEALTHY: Final = "healthy"
COLLAPSE: Final = "mode-collapse"
D_WINS: Final = "discriminator-dominance"
G_WINS: Final = "generator-dominance"
CIRCLES: Final = "oscillation"
EXPLODES: Final = "divergence"
OVERFITS: Final = "discriminator-overfitting"
WEAK: Final = "weak-discriminator"
STALLED: Final = "stalled"
PLATEAU: Final = "plateau"

DEVELOPMENT = (
    _dev("bn", HEALTHY, data="mnist"),
    _dev("bn-faces", HEALTHY, data="celeba"),
    _dev("r1", HEALTHY, data="mnist", r1=1.0, **NO_NORM_D),
    _dev("r1-faces", HEALTHY, data="celeba", r1=1.0, **NO_NORM_D),
    _dev("r3", HEALTHY, data="mnist", **R3),
    # Look odd, and are well: a fast generator, and one with many moves.
    _dev("fast-g", HEALTHY, data="mnist", lr_g=2e-3, **NO_NORM_D),
    _dev("many-g", HEALTHY, data="celeba", g_steps=4, **NO_NORM_D),
    _dev("one-latent", COLLAPSE, data="celeba", fault=Fault(latents=1)),
    _dev("8-latents", COLLAPSE, data="mnist", fault=Fault(latents=8)),
    _dev("64-latents-late", COLLAPSE, data="celeba", fault=Fault(at=MIDDLE, latents=64)),
    _dev(
        "mlp-minimax",
        COLLAPSE,
        data="mnist",
        model=MLP,
        game="minimax",
        optimiser="rmsprop",
        lr_g=1e-4,
        lr_d=5e-4,
        also=(D_WINS,),
    ),
    _dev(
        "trained-judge",
        D_WINS,
        data="mnist",
        game="minimax",
        pretrain=150,
        d_steps=3,
        lr_d=1e-3,
        lr_g=2e-5,
        **NO_NORM_D,
    ),
    _dev(
        "minimax-faces",
        D_WINS,
        data="celeba",
        game="minimax",
        pretrain=150,
        d_steps=2,
        lr_d=1e-3,
        lr_g=1e-5,
        **NO_NORM_D,
    ),
    _dev("slow-g", D_WINS, data="mnist", lr_d=1e-3, lr_g=1e-6, d_steps=2, **NO_NORM_D),
    _dev("slow-d", G_WINS, data="mnist", lr_d=2e-7, also=(WEAK,), **NO_NORM_D),
    _dev(
        "tiny-d",
        G_WINS,
        data="celeba",
        d_model={**PLAIN, "width": 1},
        lr_d=1e-5,
        g_steps=3,
        also=(WEAK,),
    ),
    _dev("frozen-d", G_WINS, data="mnist", fault=Fault(at=MIDDLE, freeze_d=True), **NO_NORM_D),
    _dev(
        "small-d",
        CIRCLES,
        data="mnist",
        d_model={**PLAIN, "width": 2},
        g_steps=3,
        lr_g=1e-3,
        lr_d=1e-3,
        also=(COLLAPSE, WEAK),
    ),
    _dev(
        "clipped",
        CIRCLES,
        data="mnist",
        game="wasserstein",
        clip=0.02,
        beta1=0.9,
        also=(COLLAPSE,),
        **NO_NORM_D,
    ),
    _dev(
        "small-d-faces",
        CIRCLES,
        data="celeba",
        d_model={**PLAIN, "width": 2},
        g_steps=3,
        lr_g=1e-3,
        lr_d=1e-3,
        also=(COLLAPSE, WEAK),
    ),
    _dev(
        "unbounded",
        EXPLODES,
        data="mnist",
        game="wasserstein",
        lr_g=1e-3,
        lr_d=1e-2,
        d_steps=2,
        **NO_NORM_D,
    ),
    _dev(
        "sgd", EXPLODES, data="celeba", optimiser="sgd", beta1=0.9, lr_g=1.0, lr_d=1.0, **NO_NORM_D
    ),
    _dev(
        "hot",
        EXPLODES,
        data="mnist",
        beta1=0.9,
        lr_g=5e-2,
        lr_d=5e-2,
        also=(COLLAPSE, STALLED, D_WINS),
        model=PLAIN,
    ),
    _dev("40-photos", OVERFITS, data="mnist", n_train=40, d_model=WIDE, lr_d=5e-4),
    _dev("30-photos", OVERFITS, data="celeba", n_train=32, **NO_NORM_D),
    _dev("24-photos-r1", OVERFITS, data="mnist", n_train=24, r1=0.02, d_model=WIDE, lr_d=5e-4),
    _dev("no-rate", STALLED, data="mnist", lr_g=1e-8, lr_d=1e-8),
    _dev("detached", STALLED, data="celeba", fault=Fault(detach=True), also=(D_WINS,)),
    _dev(
        "detached-late", STALLED, data="mnist", fault=Fault(at=MIDDLE, detach=True), also=(D_WINS,)
    ),
    _dev("half-blind", WEAK, data="mnist", fault=Fault(blur=14), also=(COLLAPSE,), **NO_NORM_D),
    _dev("strong-r1", WEAK, data="celeba", r1=3000.0, also=(G_WINS, COLLAPSE), **NO_NORM_D),
    _dev("wrong-labels", WEAK, data="mnist", fault=Fault(swap_labels=0.5), also=(G_WINS, COLLAPSE)),
    _dev("rates-cut", PLATEAU, data="mnist", fault=Fault(at=MIDDLE, lr_scale=0.01)),
    _dev("rates-cut-faces", PLATEAU, data="celeba", fault=Fault(at=MIDDLE, lr_scale=0.01)),
    _dev("rates-cut-r3", PLATEAU, data="mnist", fault=Fault(at=MIDDLE, lr_scale=0.01), **R3),
)

HELD_OUT = (
    _test("bn-utk", HEALTHY, data="utk"),
    _test("two-rates", HEALTHY, data="utk", lr_g=1e-4, lr_d=4e-4),
    _test("r3-utk", HEALTHY, data="utk", **R3),
    _test("least-squares", HEALTHY, data="mnist", game="least-squares"),
    _test(
        "hinge",
        HEALTHY,
        data="mnist",
        game="hinge",
        d_model={"normalisation": "spectral"},
        beta1=0.0,
        lr_d=4e-4,
    ),
    _test(
        "wgan-gp",
        HEALTHY,
        data="mnist",
        game="wasserstein",
        gradient_penalty=10.0,
        beta1=0.0,
        d_steps=2,
        **NO_NORM_D,
    ),
    # Look odd, and are well: a strong judge, and a judge that must not be sure.
    _test("strong-d", HEALTHY, data="utk", d_steps=3),
    _test("smoothed", HEALTHY, data="utk", real_target=0.8),
    _test("narrow-latents", COLLAPSE, data="mnist", model=PLAIN, fault=Fault(z_scale=0.01)),
    _test("16-latents", COLLAPSE, data="utk", fault=Fault(latents=16)),
    _test("128-latents-late", COLLAPSE, data="mnist", fault=Fault(at=MIDDLE, latents=128)),
    _test("3-latents-r3", COLLAPSE, data="utk", fault=Fault(latents=3), **R3),
    _test(
        "minimax-utk",
        D_WINS,
        data="utk",
        game="minimax",
        pretrain=200,
        d_steps=2,
        lr_d=6e-4,
        lr_g=1e-5,
        **NO_NORM_D,
    ),
    _test(
        "wide-d",
        D_WINS,
        data="mnist",
        model={"width": 4},
        d_model={**PLAIN, "width": 32},
        pretrain=100,
        lr_d=1e-3,
        lr_g=2e-6,
    ),
    _test(
        "minimax-many-d",
        D_WINS,
        data="mnist",
        game="minimax",
        pretrain=100,
        d_steps=4,
        lr_d=2e-3,
        lr_g=5e-5,
        **NO_NORM_D,
    ),
    _test("slow-d-utk", G_WINS, data="utk", lr_d=1e-6, also=(WEAK,), **NO_NORM_D),
    _test("frozen-d-utk", G_WINS, data="utk", fault=Fault(at=MIDDLE, freeze_d=True), **NO_NORM_D),
    _test("frozen-d-r3", G_WINS, data="mnist", fault=Fault(at=MIDDLE, freeze_d=True), **R3),
    _test(
        "small-d-utk",
        CIRCLES,
        data="utk",
        d_model={**PLAIN, "width": 2},
        g_steps=4,
        lr_g=1e-3,
        lr_d=1e-3,
        also=(COLLAPSE, WEAK),
    ),
    _test(
        "momentum",
        CIRCLES,
        data="mnist",
        d_model={**PLAIN, "width": 3},
        beta1=0.9,
        g_steps=3,
        lr_g=1e-3,
        lr_d=1e-3,
        also=(COLLAPSE, WEAK),
    ),
    _test(
        "clipped-utk",
        CIRCLES,
        data="utk",
        game="wasserstein",
        clip=0.03,
        beta1=0.9,
        also=(COLLAPSE,),
        **NO_NORM_D,
    ),
    _test(
        "unbounded-utk", EXPLODES, data="utk", game="wasserstein", lr_g=5e-4, lr_d=1e-2, **NO_NORM_D
    ),
    _test(
        "sgd-mnist",
        EXPLODES,
        data="mnist",
        optimiser="sgd",
        beta1=0.9,
        lr_g=2.0,
        lr_d=2.0,
        **NO_NORM_D,
    ),
    _test(
        "rates-up",
        EXPLODES,
        data="mnist",
        fault=Fault(at=MIDDLE, lr_scale=300.0),
        also=(COLLAPSE, STALLED, D_WINS),
        **NO_NORM_D,
    ),
    _test("32-photos-utk", OVERFITS, data="utk", n_train=32, d_model=WIDE, lr_d=4e-4),
    _test("28-photos", OVERFITS, data="mnist", n_train=28, lr_d=4e-4, d_steps=2, **NO_NORM_D),
    _test("24-photos-r3", OVERFITS, data="utk", n_train=24, **{**R3, "r1": 0.05, "r2": 0.05}),
    _test("no-rate-utk", STALLED, data="utk", lr_g=1e-9, lr_d=1e-9, game="hinge"),
    _test("rates-to-zero", STALLED, data="mnist", fault=Fault(at=MIDDLE, lr_scale=1e-6)),
    _test("frozen-g", STALLED, data="utk", fault=Fault(at=MIDDLE, freeze_g=True), also=(D_WINS,)),
    _test("half-blind-utk", WEAK, data="utk", fault=Fault(blur=14), also=(COLLAPSE,), **NO_NORM_D),
    _test("strong-r1-mnist", WEAK, data="mnist", r1=10000.0, also=(G_WINS, COLLAPSE), **NO_NORM_D),
    _test(
        "hidden-pixels",
        WEAK,
        data="utk",
        fault=Fault(drop_pixels=0.99),
        also=(G_WINS, COLLAPSE),
        **NO_NORM_D,
    ),
    _test("rates-cut-utk", PLATEAU, data="utk", fault=Fault(at=MIDDLE, lr_scale=0.02)),
    _test(
        "rates-cut-hinge",
        PLATEAU,
        data="mnist",
        game="hinge",
        d_model={"normalisation": "spectral"},
        beta1=0.0,
        lr_d=4e-4,
        fault=Fault(at=MIDDLE, lr_scale=0.01),
    ),
    _test(
        "rates-cut-ls",
        PLATEAU,
        data="mnist",
        game="least-squares",
        fault=Fault(at=MIDDLE, lr_scale=0.01),
    ),
)

ALL = DEVELOPMENT + HELD_OUT + CONFIRMATION + CAMPAIGN
RECIPES = {recipe.name: recipe for recipe in ALL}
assert len(RECIPES) == len(ALL)
