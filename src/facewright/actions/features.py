"""Features of photos and generated images: computed once a command, kept for the next one."""

from functools import cache

import numpy as np

from facewright.actions.events import OnEvent, Tally
from facewright.cache import cache_folder
from facewright.choices import Precision
from facewright.data.store import Store
from facewright.metrics.domain import usual_features
from facewright.metrics.extractors.base import Extractor
from facewright.metrics.extractors.build import build_extractor
from facewright.metrics.feature_cache import FeatureCache
from facewright.metrics.image_set import ImageSet


class Features:
    """What computes features in one command.

    Args:
        store: of the photos, whose crop frames the faces.
        on_event: hears how far each set of images has come.
        precision: of the networks.
    """

    def __init__(self, store: Store, on_event: OnEvent, precision: Precision = "fp32") -> None:
        self.store, self.usual = store, usual_features(store.train)
        self._kept, self._tell = FeatureCache(cache_folder("features")), Tally(on_event)
        self.extractor = cache(lambda name: build_extractor(name, precision, crop=store.crop))
        self.train = self.of("photos", store.train)
        self.val = self.of("held-out photos", store.val)

    def of(self, name: str, pixels: np.ndarray) -> ImageSet:
        """A set of images whose features are computed when somebody asks."""
        return ImageSet(name, pixels, self._kept, self._tell)

    @property
    def usual_extractor(self) -> Extractor:
        """The one for what these photos show: faces, or digits."""
        return self.extractor(self.usual)
