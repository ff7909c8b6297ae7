# SPDX-License-Identifier: MPL-2.0
"""report.py COUNTS LINES GUESTDIR [TOP]: which functions the instructions of
each row went to. COUNTS is from count.c, LINES from lakebench, GUESTDIR holds
the guest's kallsyms, maps.PID and perf-PID.map files."""
import bisect
import glob
import os
import sys


class Symbols:
    """Ranges from their starts; an address belongs to the nearest below it."""

    def __init__(self):
        self.starts, self.items = [], []

    def add(self, entries):
        entries = sorted(entries)
        self.starts = [e[0] for e in entries]
        self.items = entries

    def find(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0:
            return None
        start, end, name = self.items[at]
        return name if end is None or address < end else None


def read_kallsyms(path):
    entries = []
    for line in open(path):
        words = line.split()
        if words[1] in "tTwW":
            owner = words[3] if len(words) > 3 else "[kernel]"
            entries.append((int(words[0], 16), None, (owner, words[2])))
    return entries


def read_user(folder):
    """Compiled methods before files that are mapped."""
    methods, files = [], []
    for path in glob.glob(os.path.join(folder, "perf-*.map")):
        for line in open(path, errors="replace"):
            start, size, name = line.rstrip("\n").split(" ", 2)
            start = int(start, 16)
            methods.append((start, start + int(size, 16), ("[daemon]", name)))
    for path in glob.glob(os.path.join(folder, "maps.*")):
        for line in open(path):
            words = line.split()
            if len(words) > 5 and "x" in words[1]:
                start, end = (int(x, 16) for x in words[0].split("-"))
                name = os.path.basename(words[5])
                files.append((start, end, ("[daemon]", name)))
    return methods, files


def main():
    counts, lines, folder = sys.argv[1:4]
    top = int(sys.argv[4]) if len(sys.argv) > 4 else 30
    kernel, methods, files = Symbols(), Symbols(), Symbols()
    kernel.add(read_kallsyms(os.path.join(folder, "kallsyms")))
    for table, entries in zip((methods, files), read_user(folder)):
        table.add(entries)

    def name_of(address):
        if address >> 63:
            return kernel.find(address) or ("[kernel]", hex(address))
        return (
            methods.find(address)
            or files.find(address)
            or ("[program]", "all of it")
        )

    rows = [l.split()[1:4:2] for l in open(lines) if l.startswith("row ")]
    windows = []
    for line in open(counts):
        if line == "window\n":
            windows.append({})
        else:
            address, count = line.split()
            name = name_of(int(address, 16))
            windows[-1][name] = windows[-1].get(name, 0) + int(count)
    for (row, ops), window in zip(rows, windows):
        total = sum(window.values())
        print(f"\n{row}: {total / int(ops):.0f} instructions per operation")
        owners = {}
        for (owner, _), count in window.items():
            owners[owner] = owners.get(owner, 0) + count
        for owner, count in sorted(owners.items(), key=lambda o: -o[1])[:8]:
            print(f"  {100 * count / total:5.1f} % {owner}")
        ranked = sorted(window.items(), key=lambda w: -w[1])[:top]
        for (owner, name), count in ranked:
            print(f"    {100 * count / total:5.1f} %{count / int(ops):10.1f}  {name} {owner}")


main()
