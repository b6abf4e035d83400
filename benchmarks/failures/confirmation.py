"""Trainings for a last look: written after thresholds and rules were settled, scored once.

The held-out half has been looked at more than once by now, so that its errors have shaped the
rules. These have not: two recipes for each verdict, four for healthy trainings, in which
rates, games, seeds and faults differ from all others.
"""

from functools import partial
from typing import Final

from benchmarks.failures.recipe import STEPS, Fault, Recipe

_new = partial(Recipe, half="confirmation")
PLAIN = {"normalisation": "none"}
SPECTRAL = {"normalisation": "spectral"}
MIDDLE = STEPS // 2

CONFIRMATION: Final = (
    _new(
        "two-slopes-utk", "healthy", data="utk", d_model=PLAIN, r1=0.5, r2=0.5, lr_g=3e-4, lr_d=3e-4
    ),
    _new(
        "relativistic-r1",
        "healthy",
        data="mnist",
        game="relativistic",
        d_model=PLAIN,
        r1=1.0,
        beta1=0.0,
    ),
    _new("spectral-hinge-utk", "healthy", data="utk", game="hinge", d_model=SPECTRAL, lr_d=3e-4),
    _new("twice-d", "healthy", data="mnist", d_steps=2, beta1=0.3),
    _new("4-latents", "mode-collapse", data="utk", fault=Fault(latents=4)),
    _new(
        "32-latents-hinge",
        "mode-collapse",
        data="mnist",
        game="hinge",
        d_model=SPECTRAL,
        fault=Fault(at=MIDDLE, latents=32),
    ),
    _new("slowest-g", "discriminator-dominance", data="utk", d_model=PLAIN, lr_d=2e-3, lr_g=5e-7),
    _new(
        "early-judge",
        "discriminator-dominance",
        data="mnist",
        game="minimax",
        d_model=PLAIN,
        pretrain=200,
        lr_d=5e-4,
        lr_g=1e-5,
    ),
    _new(
        "slowest-d",
        "generator-dominance",
        data="utk",
        d_model=PLAIN,
        lr_d=5e-7,
        also=("weak-discriminator",),
    ),
    _new(
        "left-behind",
        "generator-dominance",
        data="mnist",
        d_model=PLAIN,
        r1=0.5,
        fault=Fault(at=250, freeze_d=True),
    ),
    _new(
        "clipped-harder",
        "oscillation",
        data="utk",
        game="wasserstein",
        clip=0.025,
        beta1=0.8,
        d_model=PLAIN,
        also=("mode-collapse",),
    ),
    _new(
        "narrow-d",
        "oscillation",
        data="mnist",
        d_model={**PLAIN, "width": 2},
        g_steps=4,
        lr_g=1.5e-3,
        lr_d=1e-3,
        also=("mode-collapse", "weak-discriminator"),
    ),
    _new(
        "unbounded-both",
        "divergence",
        data="utk",
        game="wasserstein",
        d_model=PLAIN,
        lr_g=2e-3,
        lr_d=8e-3,
    ),
    _new(
        "heavy-momentum",
        "divergence",
        data="mnist",
        optimiser="sgd",
        d_model=PLAIN,
        beta1=0.95,
        lr_g=1.5,
        lr_d=1.5,
    ),
    _new(
        "36-photos", "discriminator-overfitting", data="utk", n_train=36, d_model=PLAIN, lr_d=4e-4
    ),
    _new(
        "48-digits",
        "discriminator-overfitting",
        data="mnist",
        n_train=48,
        d_model={**PLAIN, "width": 40},
        lr_d=6e-4,
    ),
    _new(
        "harsh-r1",
        "weak-discriminator",
        data="mnist",
        d_model=PLAIN,
        r1=20000.0,
        also=("generator-dominance", "mode-collapse"),
    ),
    _new(
        "seven-blocks",
        "weak-discriminator",
        data="utk",
        d_model=PLAIN,
        fault=Fault(blur=14, drop_pixels=0.2),
        also=("generator-dominance", "mode-collapse"),
    ),
    _new("almost-no-rate", "stalled", data="utk", lr_g=3e-9, lr_d=3e-9, beta1=0.0),
    _new(
        "cut-off",
        "stalled",
        data="mnist",
        fault=Fault(at=250, detach=True),
        also=("discriminator-dominance",),
    ),
    _new(
        "set-early",
        "plateau",
        data="utk",
        d_model=PLAIN,
        r1=1.0,
        fault=Fault(at=250, lr_scale=0.015),
    ),
    _new(
        "set-relativistic",
        "plateau",
        data="mnist",
        game="relativistic",
        d_model=PLAIN,
        r1=0.5,
        r2=0.5,
        lr_g=5e-4,
        lr_d=5e-4,
        beta1=0.0,
        fault=Fault(at=350, lr_scale=0.01),
    ),
)
