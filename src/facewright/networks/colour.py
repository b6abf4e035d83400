"""Colour at half the resolution of brightness, as JPEG files often keep it.

From one pixel to the next photos change in brightness far more than in colour. A generator's
colours do not, at first, and a discriminator that sees fine colour looks at little else: it
wins by noise that no viewer would notice (docs/experiments, "What the discriminator of `fast-28`
looks at"). So neither player handles it.
"""

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


def half_colour(images: Tensor) -> Tensor:
    """The same images, with means of four pixels, interpolated, for what is not brightness.

    Args:
        images: (B, C, H, W), in any range. Brightness is the mean of the channels, so one
            channel stays as it is. The last row and column of an odd side are means of fewer.
    """
    brightness = images.mean(1, keepdim=True)
    colour = avg_pool2d(images - brightness, 2, ceil_mode=True, count_include_pad=False)
    # By the factor and not to the size, which would stretch odd sides by a pixel.
    doubled = interpolate(colour, scale_factor=2, mode="bilinear")
    return brightness + doubled[..., : images.shape[2], : images.shape[3]]
