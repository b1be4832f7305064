# SPDX-License-Identifier: BSD-2-Clause
"""Compiles and imports, in several threads, what has extension modules."""
import compileall
import importlib
import os
import sys
import threading

NAMES = """
    bz2 csv ctypes curses datetime decimal hashlib lzma mmap pyexpat readline
    select socket sqlite3 ssl xml.etree.ElementTree zlib
""".split()


def work(names):
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            pass


def main():
    here = os.path.dirname(os.__file__)
    threads = [threading.Thread(target=work, args=(NAMES[i::3],))
               for i in range(3)]
    for thread in threads:
        thread.start()
    good = compileall.compile_dir(os.path.join(here, "json"), quiet=2,
                                  force=True)
    for thread in threads:
        thread.join()
    missing = [name for name in NAMES if name not in sys.modules]
    print("done" if good and len(missing) < 6 else "missing: %s" % missing)


main()
