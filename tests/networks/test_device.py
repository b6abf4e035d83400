"""Which number format a machine gets, and what the C library is asked to do with memory."""

from types import SimpleNamespace

import pytest
import torch

from facewright.networks import device
from facewright.networks.device import keep_freed_memory, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_named_precision_is_taken_at_its_word(precision):
    assert resolve_precision(precision, CPU) == precision


@pytest.mark.parametrize(
    ("avx512_bf16", "amx", "expected"),
    [(False, False, "fp32"), (True, False, "bf16"), (False, True, "bf16")],
)
def test_auto_takes_bf16_where_the_cpu_multiplies_it(monkeypatch, avx512_bf16, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert resolve_precision("auto", CPU) == expected


@pytest.mark.parametrize(("supported", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_asks_the_gpu_without_counting_emulation(monkeypatch, supported, expected):
    def is_bf16_supported(including_emulation):
        return supported or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert resolve_precision("auto", torch.device("cuda")) == expected


def test_auto_stays_with_fp32_where_bf16_is_untested():
    assert resolve_precision("auto", torch.device("mps")) == "fp32"


@pytest.fixture
def asked(monkeypatch) -> list[tuple[int, int]]:
    """What a C library is asked that knows the setting, on Linux."""
    heard: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda name, value: heard.append((name, value)) or 1)
    monkeypatch.setattr(device.sys, "platform", "linux")
    monkeypatch.setattr(device.ctypes, "CDLL", lambda _name: library)
    return heard


def test_freed_memory_is_kept_below_the_thresholds_of_glibc(asked):
    # malloc.h: M_TRIM_THRESHOLD is -1, M_MMAP_THRESHOLD is -3. Both are ints of 32 bits.
    assert keep_freed_memory()
    assert dict(asked).keys() == {-1, -3}
    assert all(2**30 <= value < 2**31 for _, value in asked)


def test_a_c_library_without_the_setting_or_that_refuses_it_says_so(asked, monkeypatch):
    for library in (SimpleNamespace(mallopt=lambda *_: 0), SimpleNamespace()):
        monkeypatch.setattr(device.ctypes, "CDLL", lambda _name, here=library: here)
        assert not keep_freed_memory()
    monkeypatch.setattr(device.sys, "platform", "darwin")
    assert not keep_freed_memory()
    assert not asked
