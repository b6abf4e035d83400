"""Trainings as people break them: faults of their own loops, and healthy ones that look odd.

Two halves that share no recipe: "bugs" may be looked at while rules change, "sealed" is scored
once, when they are settled. Sizes, lengths, batches and seeds differ from those of the other sets.
"""

from functools import partial
from typing import Any, Final

from benchmarks.failures.recipe import Fault, Recipe

_bugs = partial(Recipe, half="bugs")
_sealed = partial(Recipe, half="sealed")
PLAIN: dict[str, Any] = {"normalisation": "none"}
SPECTRAL: dict[str, Any] = {"normalisation": "spectral"}
LONG, SHORT = 1000, 500

LOST: Any = ("divergence", "stalled", "discriminator-dominance", "mode-collapse")
"""Of a training that gets nowhere or falls apart, several things are true."""

CAMPAIGN: Final = (
    _bugs("c-small", "healthy", data="celeba", side=16, steps=LONG, batch=16),
    _bugs("c-32", "healthy", data="utk", side=32, steps=SHORT),
    _bugs("c-digits-long", "healthy", data="mnist", steps=LONG, batch=64),
    _bugs("c-plain-d", "healthy", data="celeba", d_model=PLAIN, batch=16, steps=SHORT),
    _bugs("c-beta-9", "healthy", data="mnist", beta1=0.0, lr_g=4e-4, lr_d=4e-4, steps=SHORT),
    _bugs("c-hinge", "healthy", data="celeba", game="hinge", d_model=SPECTRAL, lr_d=4e-4),
    _bugs("c-2000", "healthy", data="utk", n_train=2000, steps=SHORT),
    _bugs("c-r1", "healthy", data="mnist", side=32, d_model=PLAIN, r1=0.5, steps=SHORT),
    _bugs(
        "c-sgd-slow", "stalled", data="mnist", optimiser="sgd", also=(*LOST, "weak-discriminator")
    ),
    _bugs("c-keep", "divergence", data="celeba", also=LOST, fault=Fault(keep_gradients=True)),
    _bugs("c-black", "divergence", data="mnist", also=LOST, fault=Fault(at=300, black=True)),
    _bugs("c-x100", "divergence", data="celeba", also=LOST, fault=Fault(at=300, lr_scale=100.0)),
    _bugs(
        "c-same",
        "discriminator-overfitting",
        data="mnist",
        also=("mode-collapse", "discriminator-dominance"),
        fault=Fault(same_batch=True),
    ),
    _bugs(
        "c-sorted",
        "mode-collapse",
        data="celeba",
        also=("oscillation", "divergence", "discriminator-dominance", "discriminator-overfitting"),
        fault=Fault(sorted_photos=True),
    ),
    _bugs("c-raw", "discriminator-dominance", data="mnist", also=LOST, fault=Fault(raw=True)),
    _bugs(
        "c-swapped",
        "generator-dominance",
        data="celeba",
        also=(*LOST, "weak-discriminator"),
        fault=Fault(swapped=True),
    ),
    _bugs(
        "c-wgan",
        "divergence",
        data="celeba",
        game="wasserstein",
        d_model=PLAIN,
        lr_g=1e-3,
        lr_d=1e-3,
        also=LOST,
    ),
    _bugs("c-1-latent", "mode-collapse", data="utk", side=16, fault=Fault(at=250, latents=2)),
    _bugs("c-50", "discriminator-overfitting", data="utk", n_train=50, d_model=PLAIN, lr_d=4e-4),
    _bugs("c-frozen", "stalled", data="celeba", fault=Fault(at=200, freeze_g=True), also=LOST),
    _sealed("s-small", "healthy", data="utk", side=16, steps=SHORT, batch=64),
    _sealed("s-32", "healthy", data="mnist", side=32, steps=LONG, batch=16),
    _sealed("s-long", "healthy", data="utk", steps=LONG),
    _sealed("s-plain-d", "healthy", data="mnist", d_model=PLAIN, batch=64, steps=SHORT),
    _sealed("s-relativistic", "healthy", data="celeba", game="relativistic", d_model=PLAIN, r1=0.5),
    _sealed("s-squares", "healthy", data="utk", game="least-squares", steps=SHORT),
    _sealed("s-1500", "healthy", data="celeba", n_train=1500, steps=SHORT),
    _sealed("s-two-rates", "healthy", data="mnist", lr_g=1e-4, lr_d=3e-4, steps=LONG),
    _sealed(
        "s-sgd-slow",
        "stalled",
        data="celeba",
        optimiser="sgd",
        lr_g=1e-4,
        lr_d=1e-4,
        beta1=0.9,
        also=(*LOST, "weak-discriminator"),
    ),
    _sealed("s-keep", "divergence", data="mnist", also=LOST, fault=Fault(keep_gradients=True)),
    _sealed("s-black", "divergence", data="utk", also=LOST, fault=Fault(at=250, black=True)),
    _sealed("s-x60", "divergence", data="mnist", also=LOST, fault=Fault(at=250, lr_scale=60.0)),
    _sealed(
        "s-same",
        "discriminator-overfitting",
        data="utk",
        also=("mode-collapse", "discriminator-dominance"),
        fault=Fault(at=100, same_batch=True),
    ),
    _sealed(
        "s-sorted",
        "mode-collapse",
        data="mnist",
        also=("oscillation", "divergence", "discriminator-dominance", "discriminator-overfitting"),
        fault=Fault(sorted_photos=True),
    ),
    _sealed("s-raw", "discriminator-dominance", data="utk", also=LOST, fault=Fault(raw=True)),
    _sealed(
        "s-swapped",
        "generator-dominance",
        data="mnist",
        also=(*LOST, "weak-discriminator"),
        fault=Fault(swapped=True),
    ),
    _sealed(
        "s-wgan",
        "divergence",
        data="utk",
        game="wasserstein",
        d_model=PLAIN,
        lr_g=5e-4,
        lr_d=2e-3,
        also=LOST,
    ),
    _sealed("s-6-latents", "mode-collapse", data="mnist", fault=Fault(at=250, latents=6)),
    _sealed("s-40", "discriminator-overfitting", data="celeba", n_train=40, d_model=PLAIN),
    _sealed("s-frozen", "stalled", data="mnist", fault=Fault(at=250, freeze_g=True), also=LOST),
)
