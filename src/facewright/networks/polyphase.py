"""The two layers next to the image, computed on its four phases.

A colour image has three channels, too few to fill a processor's vectors. Its phases (the
pixels of even and of odd rows and columns) are four images of half the size, hence twelve
channels, and a convolution of stride 2 over the image is one of stride 1 over the phases.
The weights stay as they are and are dealt out to the phases in each pass. Exact up to
rounding; what it gains is in docs/experiments, "Training speed".
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class HalvingConv2d(nn.Conv2d):
    """`nn.Conv2d` with stride 2 that halves maps, an odd side upwards.

    Args:
        in_channels: of the maps.
        out_channels: of the halved maps.
        kernel: side of the filters, odd.
        bias: whether there is one.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, bias: bool = True
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel, stride=2, padding=kernel // 2, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / 2, W / 2)."""
        if self.kernel_size != (1, 1):
            return super().forward(input)
        # Filters of one pixel see every other pixel only. On processors with AVX2 and no AVX-512,
        # torch 2.13.0 writes beyond its buffers in the backward pass of such a convolution
        # (docs/experiments, "A crash with filters of one pixel"); without the stride it does not.
        seen = input[:, :, ::2, ::2].contiguous(memory_format=torch.channels_last)
        return functional.conv2d(seen, self.weight, self.bias)


class DoublingConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` with stride 2 that doubles maps.

    Args:
        in_channels: of the maps.
        out_channels: of the doubled maps.
        kernel: side of the filters, odd.
        size: (H, W) of the doubled maps; an odd side is one less than double.
        bias: whether there is one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        size: tuple[int, int],
        *,
        bias: bool = True,
    ) -> None:
        height, width = size
        super().__init__(
            in_channels,
            out_channels,
            kernel,
            stride=2,
            padding=kernel // 2,
            # Without it a map of h rows becomes 2 h - 1 rows.
            output_padding=(1 - height % 2, 1 - width % 2),
            bias=bias,
        )
        self.size = size

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(B, C, H / 2, W / 2) to (B, C', H, W)."""
        if self.kernel_size != (1, 1):
            return super().forward(input, output_size)
        return self.by_phases(input)  # for the reason of HalvingConv2d, the other way round

    def by_phases(self, input: Tensor) -> Tensor:
        """The same without a stride."""
        weight = _dealt_to_phases(self.weight)
        bias = None if self.bias is None else self.bias.repeat_interleave(4)
        phases = functional.conv_transpose2d(input, weight, bias, padding=weight.shape[-1] // 2)
        height, width = self.size
        return functional.pixel_shuffle(phases, 2)[:, :, :height, :width]


class ImageConv2d(HalvingConv2d):
    """The same for an image.

    Args:
        in_channels: of the image.
        out_channels: of the maps.
        kernel: side of the filters, odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(in_channels, out_channels, kernel)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) images to (B, C', H / 2, W / 2) maps, channels-last."""
        if not input.requires_grad:
            # What is slow with three channels is the image's gradient. Without it, rearranging
            # the pixels costs more than it saves.
            return super().forward(input.contiguous(memory_format=torch.channels_last))
        even = functional.pad(input, (0, input.shape[3] % 2, 0, input.shape[2] % 2))
        phases = functional.pixel_unshuffle(even, 2)
        weight = _dealt_to_phases(self.weight)
        return functional.conv2d(
            phases.contiguous(memory_format=torch.channels_last),
            weight,
            self.bias,
            padding=weight.shape[-1] // 2,
        )


class ImageConvTranspose2d(DoublingConvTranspose2d):
    """The same to an image."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(B, C, H / 2, W / 2) maps to (B, C', H, W) images."""
        return self.by_phases(input)


def _dealt_to_phases(weight: Tensor) -> Tensor:
    """(O, I, K, K) filters over an image as (O, 4 I, N, N) filters over its phases.

    Tap t of a filter, counted from its centre, meets the phase t mod 2 at the offset
    floor(t / 2). Zeros fill the filter up so that offsets run from -N // 2 to N // 2.
    """
    outputs, inputs, kernel, _ = weight.shape
    reach = (kernel // 2 + 1) // 2
    taps = 2 * reach + 1
    before = 2 * reach - kernel // 2
    after = 2 * taps - kernel - before
    filled = functional.pad(weight, (before, after, before, after))
    by_phase = filled.view(outputs, inputs, taps, 2, taps, 2).permute(0, 1, 3, 5, 2, 4)
    return by_phase.reshape(outputs, 4 * inputs, taps, taps)
