"""Compiles the kernels; everything else about the build is in pyproject.toml.

A kernel is a plain Python module that Cython can compile. Where there is no C compiler the build says so and goes on:
the same file then runs as plain Python, slower and with equal results. PARTICIPANT_REQUIRE_COMPILED=1 makes it fail.
"""

import os
from pathlib import Path

from Cython.Distutils.build_ext import build_ext
from setuptools import Extension, setup

KERNELS = ["participant.core._pricing"]
# One deterministic build decides: no fast-math, no fused multiply-add, the baseline instruction set.
FLAGS = ["-O2", "-ffp-contract=off"]

is_required = os.environ.get("PARTICIPANT_REQUIRE_COMPILED") == "1"


def source_of(kernel: str) -> Path:
    return Path("src", *kernel.split(".")).with_suffix(".py")


class BuildKernels(build_ext):
    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True  # no generated C among the sources

    def run(self) -> None:
        for kernel in KERNELS:  # an old binary must not outlive a build that fails
            for stale in source_of(kernel).parent.glob(f"{source_of(kernel).stem}.*.so"):
                stale.unlink()
        super().run()

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception:
            self.warn(f"{ext.name} is not compiled: is a C compiler installed? Without one it runs as plain Python.")
            raise  # fatal only if the extension is not optional


setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[
        Extension(kernel, [str(source_of(kernel))], extra_compile_args=FLAGS, optional=not is_required)
        for kernel in KERNELS
        if source_of(kernel).exists()
    ],
)
