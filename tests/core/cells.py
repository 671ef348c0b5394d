#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Usage: cells.py COUNT SEED

Print COUNT cells of the product below, a line "PROGRAM WHERE THREADS FILTER" each: those that seed number SEED has when the seeds
take their shares of it one after the other, so that enough of them have all of it. The order is always the same, and such that
every two values of two columns soon were in a cell together.
"""
import itertools
import random
import sys

PROGRAMS = ("posed", "posed_nopie", "posed_static", "posed_static_pie", "posed_cxx", "posed_go", "posed.py", "posed32",
            "posed32_static")
WHERE = ("syscall", "vdso", "handler", "user")
THREADS = (1, 64, 1000)
FILTERS = ("0", "1", "2", "4", "8", "10", "20", "40", "80", "100", "1ff")

CANDIDATES = 24     # of which the best is next: the best of all would take too long to find


def pairs(cell):
    return {(i, cell[i], j, cell[j]) for i, j in itertools.combinations(range(len(cell)), 2)}


def in_order():
    lots = random.Random(0)
    left = list(itertools.product(PROGRAMS, WHERE, THREADS, FILTERS))
    lots.shuffle(left)
    seen = set()
    while left:
        drawn = [lots.randrange(len(left)) for _ in range(CANDIDATES)]
        best = max(drawn, key=lambda i: len(pairs(left[i]) - seen))
        left[best], left[-1] = left[-1], left[best]
        if not pairs(left[-1]) - seen:
            seen = set()
        seen |= pairs(left[-1])
        yield left.pop()


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    whole = len(PROGRAMS) * len(WHERE) * len(THREADS) * len(FILTERS)
    first = (seed - 1) * count % whole
    order = itertools.islice(itertools.cycle(in_order()), first, first + count)
    for cell in order:
        print(*cell)


if __name__ == "__main__":
    main()
