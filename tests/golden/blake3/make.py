#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes b3sum.txt beside this file: lengths, and what b3sum prints for a
content of so many bytes, of which byte i is i % 251 (the pattern of BLAKE3's
published test vectors)."""
import os
import random
import subprocess
import tempfile

CHUNK, GROUP = 1024, 65536


def lengths():
    wanted = set(range(1200))
    for chunks in range(1, 131):
        wanted |= {chunks * CHUNK + d for d in (-1, 0, 1)}
    for groups in range(1, 18):
        wanted |= {groups * GROUP + d for d in (-1025, -65, -64, -1, 0, 1, 64, 65, 1024, 1025)}
    for power in range(18, 24):
        wanted |= {(1 << power) + d for d in (-1, 0, 1)}
    numbers = random.Random(251)
    wanted |= {numbers.randrange(300000) for _ in range(900)}
    return sorted(wanted)


def main():
    wanted = lengths()
    data = (bytes(range(251)) * (wanted[-1] // 251 + 1))[:wanted[-1]]
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder, \
            open(os.path.join(here, "b3sum.txt"), "w", encoding="ascii") as out:
        for start in range(0, len(wanted), 100):
            names = []
            for length in wanted[start:start + 100]:
                names.append(os.path.join(folder, str(length)))
                with open(names[-1], "wb") as f:
                    f.write(data[:length])
            printed = subprocess.run(["b3sum", "--no-names", *names], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout.split()
            for name, line in zip(names, printed, strict=True):
                out.write(f"{os.path.basename(name)} {line}\n")
                os.remove(name)


if __name__ == "__main__":
    main()
