"""The tensors of a GAN step, by name and shape.

With jaxtyping installed (extra `dev`) the aliases carry shapes, and the tests check
every call in `objective` and `networks` against them. Without it they are plain tensors:
production pays nothing.
"""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    Images = Logits = Latents = Features = Conditions = Scalar = PerImage = Tensor
else:
    try:
        from jaxtyping import Float
    except ImportError:
        Images = Logits = Latents = Features = Conditions = Scalar = PerImage = Tensor
    else:
        Images = Float[Tensor, "batch channels height width"]
        """Float images in [-1, 1]."""
        Logits = Float[Tensor, " batch"]
        """The discriminator's verdict before the sigmoid; above 0 means "real"."""
        Latents = Float[Tensor, "batch z_dim"]
        """What the generator starts from, standard normal."""
        Features = Float[Tensor, "batch features"]
        """One vector per image."""
        Conditions = Float[Tensor, "batch conditions"]
        """The labels of an image, or those requested of it: see `conditions.Conditioning`."""
        PerImage = Float[Tensor, " batch"]
        """One number per image: a loss or a penalty before averaging."""
        Scalar = Float[Tensor, ""]
        """One number."""
