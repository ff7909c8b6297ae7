#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Lists a dm-log-writes file: `write OFFSET LENGTH TEXT`, `flush`, `discard`
or `mark`, one entry a line. TEXT is the printable start of the data."""

import struct
import sys

MAGIC = 0x6A736677736872
SECTOR = 512
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


def entries(log):
    magic, version, count, sector = struct.unpack("<QQQI", log.read(28))
    if magic != MAGIC or version != 1:
        sys.exit("not a dm-log-writes file")
    position = sector
    for _ in range(count):
        log.seek(position)
        start, length, flags, mark = struct.unpack("<QQQQ", log.read(32))
        position += sector
        data = b""
        if flags & DISCARD == 0 and length:
            log.seek(position)
            data = log.read(length * sector)
            position += length * sector
        yield start * sector, length * sector, flags, data


with open(sys.argv[1], "rb") as file:
    for offset, size, flags, data in entries(file):
        text = data.split(b"\n")[0].split(b"\0")[0].decode("latin-1")
        if flags & MARK:
            print("mark")
        elif flags & DISCARD:
            print("discard", offset, size)
        else:
            if size:
                fua = "+fua" if flags & FUA else ""
                print(f"write{fua} {offset} {size} {text[:40]}")
            if flags & FLUSH:
                print("flush")
