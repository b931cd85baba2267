"""Running the command line on safetensors files."""

import json
import subprocess

import pytest
import safetensors.torch


class Tilewright:
    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.runs = 0

    def __call__(self, *arguments):
        """Runs the command line; returns the completed process."""
        return subprocess.run([str(self.binary), *map(str, arguments)], capture_output=True, text=True, timeout=300)

    def json(self, *arguments):
        done = self(*arguments, "--json")
        assert done.returncode == 0, f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}"
        return json.loads(done.stdout)

    def run(self, kernel, inputs, **settings):
        """Runs a kernel on these tensors and returns its outputs."""
        self.runs += 1
        given, made = (self.folder / f"{kernel}_{self.runs}_{end}.safetensors" for end in ("in", "out"))
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in inputs.items()}, given)
        pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={str(value).lower() if isinstance(value, bool) else value}")]
        self.json("run", kernel, "--device", "cpu", "--input", given, "--output", made, *pairs)
        return safetensors.torch.load_file(made)


@pytest.fixture
def tilewright(binary, tmp_path):
    return Tilewright(binary, tmp_path)
