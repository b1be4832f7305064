# SPDX-License-Identifier: BSD-2-Clause
"""Has the allocator that Python runs on (by LD_PRELOAD) write a log and its
recent allocations, and prints the keys and types of both, in their order, but
for the keys that are liballoc's own: shape.py FILE."""
import ctypes
import json
import sys

OWN = ('dropped', 'mappings')

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
write_function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
pieces = []


def control(name, value=None):
    error = libc.mallctl(name, None, None,
                         ctypes.byref(value) if value else None,
                         ctypes.c_size_t(ctypes.sizeof(value) if value else 0))
    assert error == 0, (name, error)


class Target(ctypes.Structure):
    _fields_ = [('write', write_function), ('opaque', ctypes.c_void_p)]


def shape(value):
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if k not in OWN}
    if isinstance(value, list):
        return shape(value[-1]) if value else None
    return type(value).__name__


control(b'prof.log_start', ctypes.c_char_p(sys.argv[1].encode()))
for size in range(1000, 5000, 500):
    libc.free(libc.malloc(size))
control(b'prof.log_stop')
with open(sys.argv[1], encoding='utf-8') as file:
    print(json.dumps(shape(json.load(file))))

control(b'experimental.prof_recent.alloc_max', ctypes.c_ssize_t(-1))
kept = [libc.malloc(3000) for _ in range(8)]
for ptr in kept:
    libc.free(ptr)
control(b'experimental.prof_recent.alloc_dump',
        Target(write_function(lambda _, text: pieces.append(text)), None))
document = json.loads(b''.join(pieces))
document['recent_alloc'] = [a for a in document['recent_alloc']
                            if a['size'] == 3000]
print(json.dumps(shape(document)))
