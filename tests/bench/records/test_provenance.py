"""What a record says of the machine, from files of Linux's form."""

from pathlib import Path

import pytest
import torch

from bench.records import provenance as machine


@pytest.mark.parametrize(
    ("text", "model", "flags"),
    [
        (
            "processor\t: 0\nmodel name\t: ACME 9\nflags\t\t: fpu avx512_vnni avx2 sse4_2\n\n"
            "processor\t: 1\nmodel name\t: Other\nflags\t\t: avx2 amx_int8\n",
            "ACME 9",
            ["avx2", "avx512_vnni"],
        ),
        ("processor\t: 0\nFeatures\t: fp asimd i8mm\n", None, ["asimd", "i8mm"]),
        (None, None, []),
    ],
)
def test_the_processor_is_the_first_that_linux_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, model: str | None, flags: list[str]
) -> None:
    file = tmp_path / "cpuinfo"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(machine, "CPUINFO", file)
    assert machine.cpu_flags() == flags
    assert machine.machine()["flags"] == flags
    if model is not None:
        assert machine.machine()["name"].startswith("acme-9-")


@pytest.mark.parametrize("lacks", [AttributeError("no sysconf"), ValueError("unrecognized configuration name")])
def test_memory_that_the_system_does_not_report_is_null(monkeypatch: pytest.MonkeyPatch, lacks: Exception) -> None:
    def sysconf(name: str) -> int:
        raise lacks

    assert machine.machine()["ram_bytes"] > 10**8
    monkeypatch.setattr("os.sysconf", sysconf)
    assert machine.machine()["ram_bytes"] is None


def test_provenance_says_which_instructions_torch_uses() -> None:
    found = machine.provenance("bench run")["machine"]
    assert found["torch_capability"] == torch.backends.cpu.get_cpu_capability()
    assert found["cores"] == machine.cores() >= 1


def test_records_state_the_packages_that_write_what_is_sized_and_timed() -> None:
    assert {"torch", "onnxruntime", "safetensors", "h5py", "onnxscript"} <= set(machine.versions())


@pytest.mark.parametrize(
    ("flags", "name"), [("avx2 avx512f", "acme-9-2c"), ("avx2", "acme-9-avx2-2c"), ("fpu", "acme-9-2c")]
)
def test_cpus_of_one_model_name_differ_by_their_instruction_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, name: str
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: ACME 9\nflags\t\t: {flags}\n")
    monkeypatch.setattr(machine, "CPUINFO", file)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    assert machine.machine()["name"] == name
