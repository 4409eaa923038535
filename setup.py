"""Compiles the kernels; everything else about the build is in pyproject.toml.

A kernel is a Python module that Cython compiles, beside its twin in plain Python. `_pricing` is built twice: it
decides, and `_pricing_wide` is the same source for this very machine, for research. Where there is no C compiler the
build says so and goes on: the twins then serve, slower and with equal results. PARTICIPANT_REQUIRE_COMPILED=1 makes it
fail.
PARTICIPANT_MARCH names the machine of the wide build, `native` by default: say x86-64-v3 for an image that travels.
"""

import os
import shutil
from pathlib import Path

from Cython.Distutils.build_ext import build_ext
from setuptools import Extension, setup

CORE = ["_pricing", "_rows", "_chain_columns", "_ladder", "_by_order", "_tape"]
FIX = ["_reader", "_runs", "_books"]
KERNELS = [*(f"participant.core.{name}" for name in CORE), *(f"participant.wire.fix.{name}" for name in FIX)]
WIDE = ["participant.core._pricing"]
# None of these alters a result: they let the compiler inline a whole option and take several at once.
COMMON = [
    "-O3", "-g0", "-fno-strict-aliasing", "-fno-math-errno", "-fno-trapping-math",
    "-DCYTHON_INLINE=__attribute__((always_inline))__inline__",
]  # fmt: skip
# One deterministic build decides: no fast-math, no fused multiply-add, the baseline instruction set.
FLAGS = [*COMMON, "-ffp-contract=off"]
# No fast-math either, so that nan stays nan: what it gains is the width of the registers and the fused multiply-add.
MARCH = os.environ.get("PARTICIPANT_MARCH", "native")
WIDE_FLAGS = [*COMMON, "-ffp-contract=fast", f"-march={MARCH}", "-mprefer-vector-width=512"]
BUILDS = dict.fromkeys(KERNELS, FLAGS) | {f"{kernel}_wide": WIDE_FLAGS for kernel in WIDE}

is_required = os.environ.get("PARTICIPANT_REQUIRE_COMPILED") == "1"


def source_of(kernel: str) -> Path:
    return Path("src", *kernel.split(".")).with_suffix(".py")


def source_of_build(build: str) -> Path:
    """The kernel itself, or its copy under the name of the wide build: Cython names a module by its file."""
    if not build.endswith("_wide"):
        return source_of(build)
    path = Path("build", "wide", f"{build.rpartition('.')[2]}.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source_of(build.removesuffix("_wide")), path)
    return path


class BuildKernels(build_ext):
    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True  # no generated C among the sources
        self.cython_include_dirs = ["src"]  # a kernel that stands on another finds what its .pxd declares

    def run(self) -> None:
        for kernel in KERNELS:  # an old binary must not outlive a build that fails
            for stale in source_of(kernel).parent.glob(f"{source_of(kernel).stem}*.so"):
                stale.unlink()
        super().run()

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception:
            self.warn(f"{ext.name} is not compiled: is a C compiler installed? Without one its twin in Python serves.")
            raise  # fatal only if the extension is not optional


setup(
    cmdclass={"build_ext": BuildKernels},
    ext_modules=[
        Extension(
            build,
            [str(source_of_build(build))],
            extra_compile_args=flags,
            optional=not is_required or build.endswith("_wide"),  # a compiler may know no -march of this machine
        )
        for build, flags in BUILDS.items()
    ],
)
