# SPDX-License-Identifier: MPL-2.0
"""tree.py FILE: a tar archive of a made-up tree of sources, the same each
time: 5,300 entries, 39 MB, most files small and a few large."""
import io
import random
import sys
import tarfile

DIRECTORIES = 400
FILES = 4900
TOTAL = 39_000_000


def words_text(rng, length):
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    words = [
        "".join(rng.choice(letters[: rng.randint(6, 26)]) for _ in range(n))
        for n in (rng.randint(2, 11) for _ in range(3000))
    ]
    lines, size = [], 0
    while size < length:
        line = "\t" * rng.randint(0, 3) + " ".join(rng.choices(words, k=8)) + ";\n"
        lines.append(line)
        size += len(line)
    return "".join(lines).encode()


def directories(rng):
    """Each below one made before, most of them near the top."""
    made = ["tree"]
    for i in range(DIRECTORIES - 1):
        parent = made[int(len(made) * rng.random() ** 2)]
        made.append(f"{parent}/part{i:03d}")
    return made


def main():
    rng = random.Random(42)
    text = words_text(rng, 1 << 20)
    sizes = [rng.lognormvariate(8.2, 1.25) for _ in range(FILES)]
    scale = TOTAL / sum(sizes)
    places = directories(rng)
    with tarfile.open(sys.argv[1], "w", format=tarfile.USTAR_FORMAT) as tar:
        for path in places:
            entry = tarfile.TarInfo(path)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, 1_600_000_000
            tar.addfile(entry)
        for i, size in enumerate(sizes):
            entry = tarfile.TarInfo(f"{rng.choice(places)}/source{i:04d}.c")
            entry.size = min(int(size * scale), len(text))
            entry.mode, entry.mtime = 0o644, 1_600_000_000 + i
            start = rng.randrange(len(text) - entry.size + 1)
            tar.addfile(entry, io.BytesIO(text[start : start + entry.size]))


main()
