"""Which number format a machine gets."""

import platform
import subprocess
import sys

import pytest
import torch

from facewright.networks.device import resolve_precision

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


# Ten blocks of 4 MB, all freed, again and again: how many page faults once that is familiar?
FAULTS = """
import resource, torch
from facewright.networks.device import keep_freed_memory

def round_of_blocks():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(2**20) for _ in range(10)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
assert keep_freed_memory()
print([round_of_blocks() for _ in range(6)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_kept_memory_is_not_mapped_anew():
    command = [sys.executable, "-c", FAULTS]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    # The blocks have 10,240 pages of 4 kB; without the setting all of them fault.
    assert int(result.stdout) < 1024
