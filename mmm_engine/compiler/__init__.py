"""From array formulas to machine code: a small compiler for log densities and their gradients.

Here: a formula is written down (graph.py), differentiated (autodiff.py), cut into loops (fusion.py, buffers.py),
lowered to LLVM's instructions (elements.py, lowering.py, ir_builder.py, elementary.py), translated (object_code.py, in
a process of its own: compile_process.py), kept and checked (code_cache.py, self_check.py, entry_points.py).
README.md tells the operations, memory, floating-point rules and edges on one page.
Not here: models; what a formula means is not told here (model/, posterior/).
Imports: `errors` and `array_types`.

Why not a library: general compilers of array formulas allocate every intermediate result, which costs more than the
arithmetic on arrays of 13 channels and 150 weeks, and take minutes where this takes a second.
"""
