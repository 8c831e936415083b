"""Object code: LLVM text made fit for this machine's processor, and loaded into this process.

Here: `object_code`, which runs in a process of its own (run as a script it imports llvmlite and nothing of the
engine); `load`, `processor`.
Not here: the text (entry_points.py), the process (compile_process.py), where object code is kept (code_cache.py).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from functools import cache
from typing import Any

_FROM_C = ("lgamma",)  # what machine code calls beside memory


def object_code(text: str, effort: str = "full") -> bytes:
    """A module as an object file for the processor of this machine.

    Args:
        text: LLVM text.
        effort: "full", or "least": no optimisation, for modules that the optimiser fails on.

    Raises:
        RuntimeError: If the text is not LLVM's language.
    """
    from llvmlite import binding

    machine = _target_machine()
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    optimise = effort == "full"
    tuning = binding.create_pipeline_tuning_options(speed_level=3 if optimise else 0)
    # loops are vectorised; straight code is not: LLVM's pass for it gains nothing here, and has failed
    tuning.loop_vectorization = tuning.loop_interleaving = tuning.loop_unrolling = optimise
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


def load(code: bytes, names: tuple[str, ...]) -> tuple[Any, tuple[int, ...]]:
    """Object code in memory: its owner, with which it goes, and the addresses of functions."""
    from llvmlite import binding

    _offer_mathematics()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, tuple(engine.get_function_address(name) for name in names)


@cache
def processor() -> str:
    """What object code depends on: the processor's name and abilities, and the compiler's version."""
    import llvmlite
    from llvmlite import binding

    version = ".".join(map(str, binding.llvm_version_info))
    features = binding.get_host_cpu_features().flatten()
    return f"{binding.get_host_cpu_name()} {features} LLVM {version} llvmlite {llvmlite.__version__}"


def _target_machine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )


@cache
def _offer_mathematics() -> None:
    """Tells the loader where the C library's functions are."""
    from llvmlite import binding

    process = ctypes.CDLL(None)
    library = process if hasattr(process, _FROM_C[0]) else ctypes.CDLL(ctypes.util.find_library("m"))
    for name in _FROM_C:
        binding.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)


if __name__ == "__main__":  # text on standard input, object code on standard output
    _, effort, packages = sys.argv
    sys.path.append(packages)  # behind everything else: for llvmlite where this interpreter does not know it
    sys.stdout.buffer.write(object_code(sys.stdin.read(), effort))
