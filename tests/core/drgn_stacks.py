#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: drgn_stacks.py CORE: what drgn finds in the core of a process: its threads and their stacks."""
import sys

import drgn


def main():
    prog = drgn.Program()
    prog.set_core_dump(sys.argv[1])
    try:
        prog.load_default_debug_info()
    except drgn.MissingDebugInfoError:
        pass    # of the libraries: they come without
    for thread in sorted(prog.threads(), key=lambda t: t.tid):
        print("thread", thread.tid)
        print(thread.stack_trace())


if __name__ == "__main__":
    main()
