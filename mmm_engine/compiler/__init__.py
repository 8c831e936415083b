"""From array formulas to machine code: a small compiler for log densities and their gradients.

A formula is written down (expressions.py), differentiated (gradient.py), cut into loops (loops.py) and told to LLVM
(code.py, memory.py, elements.py, nests.py, with the functions of vector_math.py), which makes it fit for this machine's
vector instructions (object_code.py). It knows nothing of models: what the formula means is not told here.

Why not a library: general compilers of array formulas allocate every intermediate result, which costs more than the
arithmetic on arrays of 13 channels and 150 weeks, and take minutes where this takes a second.
"""
