#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Writes the transposed BLAKE3 kernels beside this file: generate.py [DIRECTORY].

A kernel runs the compression function on 8 or 16 inputs at once, one input in
each 32-bit lane of sixteen vectors that hold the state words (BLAKE3 paper,
section 5.3). Seven rounds of eight G with the words permuted are 224 half
steps, which the JIT compiles well only when they are written out; this writes
them. tests/unit/DeepLake.Hash.Tests compares the files with what it writes.
"""
import os
import sys

PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
IV = ["0x6A09E667u", "0xBB67AE85u", "0x3C6EF372u", "0xA54FF53Au",
      "0x510E527Fu", "0x9B05688Cu", "0x1F83D9ABu", "0x5BE0CD19u"]
COLUMNS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
DIAGONALS = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


class Target:
    """An instruction set: its vector, how it rotates and how it transposes."""

    def __init__(self, name, lanes, summary):
        self.name = name
        self.lanes = lanes
        self.summary = summary
        self.vector = f"Vector{32 * lanes}"
        self.type = f"{self.vector}<uint>"
        # AVX2 has 16 registers, the state takes them all.
        self.in_memory = name == "Avx2Lanes8"

    def word(self, i):
        return f"m[{i}]" if self.in_memory else f"m{i}"

    def rotate(self, word, bits):
        if self.name == "Avx512Lanes16":
            return f"Avx512F.RotateRight({word}, {bits})"
        if self.name == "Avx512Lanes8":
            return f"Avx512F.VL.RotateRight({word}, {bits})"
        if bits in (16, 8):
            return (f"Avx2.Shuffle({word}.AsByte(), rotate{bits}).AsUInt32()")
        return f"({word} >>> {bits}) | ({word} << {32 - bits})"

    def unpack(self, half, a, b):
        isa = "Avx512F" if self.lanes == 16 else "Avx2"
        return f"{isa}.Unpack{half}({a}, {b})"


TARGETS = [
    Target("Avx512Lanes16", 16, "Sixteen inputs at once, AVX-512."),
    Target("Avx512Lanes8", 8, "Eight inputs at once in 256-bit vectors, with AVX-512's rotation."),
    Target("Avx2Lanes8", 8, "Eight inputs at once, AVX2."),
]


def schedule():
    rounds = [list(range(16))]
    for _ in range(6):
        rounds.append([rounds[-1][p] for p in PERMUTATION])
    return rounds


class Writer:
    def __init__(self):
        self.lines = []

    def put(self, depth, text):
        self.lines.append("    " * depth + text if text else "")


def transpose4(w, t, depth, rows, out):
    """Four vectors of words to four whose 128-bit lanes hold a column each."""
    a, b, c, d = rows
    w.put(depth, f"var {out}a = {t.unpack('Low', a, b)}.AsUInt64();")
    w.put(depth, f"var {out}b = {t.unpack('High', a, b)}.AsUInt64();")
    w.put(depth, f"var {out}c = {t.unpack('Low', c, d)}.AsUInt64();")
    w.put(depth, f"var {out}d = {t.unpack('High', c, d)}.AsUInt64();")
    for k, (half, x, y) in enumerate((("Low", "a", "c"), ("High", "a", "c"),
                                      ("Low", "b", "d"), ("High", "b", "d"))):
        w.put(depth, f"var {out}{k} = {t.unpack(half, out + x, out + y)}.AsUInt32();")


def load_message16(w, t, depth, ragged):
    for i in range(16):
        w.put(depth, f"var r{i} = Vector512.Load((uint*)(p{i} + at));")
    for i in range(0 if ragged else 16):
        w.put(depth, f"Sse.Prefetch0(p{i} + at + ahead);")
    for g in range(4):
        transpose4(w, t, depth, [f"r{4 * g + k}" for k in range(4)], f"t{g}")
    for j in range(4):
        for name, first, second, imm in (("x", 0, 1, "0x88"), ("y", 0, 1, "0xDD"),
                                         ("z", 2, 3, "0x88"), ("q", 2, 3, "0xDD")):
            w.put(depth, f"var {name}{j} = Avx512F.Shuffle4x128(t{first}{j}, t{second}{j}, {imm});")
    for base, a, b, imm in ((0, "x", "z", "0x88"), (8, "x", "z", "0xDD"),
                            (4, "y", "q", "0x88"), (12, "y", "q", "0xDD")):
        for j in range(4):
            w.put(depth, f"var m{base + j} = Avx512F.Shuffle4x128({a}{j}, {b}{j}, {imm});")


def load_message8(w, t, depth):
    for h in range(2):
        for i in range(8):
            w.put(depth, f"var r{h}{i} = Vector256.Load((uint*)(p{i} + at + {32 * h}));")
        for g in range(2):
            transpose4(w, t, depth, [f"r{h}{4 * g + k}" for k in range(4)], f"t{h}{g}")
        for j in range(4):
            for number, imm in ((8 * h + j, "0x20"), (8 * h + 4 + j, "0x31")):
                target = t.word(number) if t.in_memory else f"var {t.word(number)}"
                w.put(depth, f"{target} = Avx2.Permute2x128(t{h}0{j}, t{h}1{j}, {imm});")


def rounds(w, t, depth):
    word = t.word
    for number, order in enumerate(schedule()):
        w.put(depth, f"// round {number + 1}")
        for base, quads in ((0, COLUMNS), (8, DIAGONALS)):
            for half, first, second in ((0, 16, 12), (1, 8, 7)):
                for k, (a, b, _, _) in enumerate(quads):
                    w.put(depth, f"v{a} = v{a} + {word(order[base + 2 * k + half])} + v{b};")
                for a, _, _, d in quads:
                    w.put(depth, f"v{d} = {t.rotate(f'(v{d} ^ v{a})', first)};")
                for _, _, c, d in quads:
                    w.put(depth, f"v{c} = v{c} + v{d};")
                if t.name != "Avx2Lanes8":
                    for _, b, c, _ in quads:
                        w.put(depth, f"v{b} = {t.rotate(f'(v{b} ^ v{c})', second)};")
                else:
                    for _, b, c, _ in quads:
                        w.put(depth, f"v{b} = v{b} ^ v{c};")
                        w.put(depth, f"v{b} = {t.rotate(f'v{b}', second)};")


def store_results(w, t, depth):
    """The state words back to one chaining value for each input."""
    for g in range(2):
        transpose4(w, t, depth, [f"v{4 * g + k}" for k in range(4)], f"e{g}")
    for j in range(4):
        for g in range(2):
            for lane in range(t.lanes // 4):
                at = 32 * (4 * lane + j) + 16 * g
                if t.lanes == 16:
                    part = f"Avx512F.ExtractVector128(e{g}{j}, {lane})"
                else:
                    part = f"e{g}{j}.Get{'Upper' if lane else 'Lower'}()"
                w.put(depth, f"{part}.Store((uint*)(results + {at}));")


def kernel(w, t, ragged):
    plus = " + first" if t.lanes == 8 else ""
    if ragged:
        w.put(1, "/// <summary>Inputs of different lengths, counters and flags (<see cref=\"LaneJobs\"/>).</summary>")
        first = ", int first" if t.lanes == 8 else ""
        head = f"HashRagged(LaneJobs* jobs{first}, int blocks, byte* results)"
    else:
        w.put(1, "/// <summary>Inputs of the same number of whole blocks, counters ascending by a step.</summary>")
        ahead = ", nuint ahead" if t.lanes == 16 else ""
        head = f"Hash(byte** inputs, int blocks, ulong counter, uint step, BlockFlags flags{ahead}, byte* results)"
    w.put(1, "[SkipLocalsInit]")
    w.put(1, "[MethodImpl(MethodImplOptions.AggressiveOptimization)]")
    w.put(1, f"public static void {head}")
    w.put(1, "{")
    if t.in_memory:
        w.put(2, f"byte* space = stackalloc byte[{16 * 32 + 32}];")
        w.put(2, f"{t.type}* m = ({t.type}*)(((nuint)space + 31) & ~(nuint)31);")
    if t.name == "Avx2Lanes8":
        for bits in (16, 8):
            order = [(i & ~3) + ((i + bits // 8) & 3) for i in range(16)]
            text = ", ".join(str(o) for o in order * 2)
            w.put(2, f"Vector256<byte> rotate{bits} = Vector256.Create((byte){text});")
    if ragged:
        w.put(2, f"byte** inputs = (byte**)jobs->Inputs{plus};")
        w.put(2, f"{t.type} low = {t.vector}.Load(jobs->CounterLow{plus});")
        w.put(2, f"{t.type} high = {t.vector}.Load(jobs->CounterHigh{plus});")
    else:
        w.put(2, f"uint* counters = stackalloc uint[{2 * t.lanes}];")
        w.put(2, f"for (int i = 0; i < {t.lanes}; i++)")
        w.put(2, "{")
        w.put(3, "ulong number = counter + (ulong)step * (uint)i;")
        w.put(3, "counters[i] = (uint)number;")
        w.put(3, f"counters[{t.lanes} + i] = (uint)(number >> 32);")
        w.put(2, "}")
        w.put(2, f"{t.type} low = {t.vector}.Load(counters);")
        w.put(2, f"{t.type} high = {t.vector}.Load(counters + {t.lanes});")
    for i in range(t.lanes):
        w.put(2, f"byte* p{i} = inputs[{i}];")
    for i in range(8):
        w.put(2, f"{t.type} v{i} = {t.vector}.Create({IV[i]});")
    w.put(2, f"uint flag = {'jobs->Flags.First' if ragged else 'flags.First'};")
    w.put(2, "nuint at = 0;")
    w.put(2, "for (int block = 1; block <= blocks; block++, at += 64)")
    w.put(2, "{")
    if t.lanes == 16:
        load_message16(w, t, 3, ragged)
    else:
        load_message8(w, t, 3)
    if ragged:
        w.put(3, f"var number = {t.vector}.Create((uint)block);")
        w.put(3, f"var count = {t.vector}.Load(jobs->Blocks{plus});")
        w.put(3, f"var isLast = {t.vector}.Equals(number, count);")
        w.put(3, f"var isLive = {t.vector}.LessThanOrEqual(number, count);")
        for i in range(8):
            w.put(3, f"var h{i} = v{i};")
    else:
        w.put(3, "flag |= block == blocks ? flags.Last : 0;")
    for i in range(4):
        w.put(3, f"var v{8 + i} = {t.vector}.Create({IV[i]});")
    w.put(3, "var v12 = low;")
    w.put(3, "var v13 = high;")
    if ragged:
        w.put(3, f"var v14 = {t.vector}.ConditionalSelect(isLast, {t.vector}.Load(jobs->LastBytes{plus}), {t.vector}.Create(64u));")
        w.put(3, f"var v15 = {t.vector}.Create(flag) | (isLast & {t.vector}.Load(jobs->LastFlags{plus}));")
    else:
        w.put(3, f"var v14 = {t.vector}.Create(64u);")
        w.put(3, f"var v15 = {t.vector}.Create(flag);")
    rounds(w, t, 3)
    for i in range(8):
        if ragged:
            w.put(3, f"v{i} = {t.vector}.ConditionalSelect(isLive, v{i} ^ v{8 + i}, h{i});")
        else:
            w.put(3, f"v{i} ^= v{8 + i};")
    w.put(3, f"flag = {'jobs->Flags.Every' if ragged else 'flags.Every'};")
    w.put(2, "}")
    store_results(w, t, 2)
    w.put(1, "}")


def write(t):
    w = Writer()
    w.put(0, "// SPDX-License-Identifier: MPL-2.0")
    w.put(0, "// Written by generate.py; change that instead.")
    w.put(0, "using System.Runtime.CompilerServices;")
    w.put(0, "using System.Runtime.Intrinsics;")
    w.put(0, "using System.Runtime.Intrinsics.X86;")
    w.put(0, "")
    w.put(0, "namespace DeepLake.Hash.Kernels;")
    w.put(0, "")
    w.put(0, f"/// <summary>{t.summary} Results: 32 bytes for each input, in order.</summary>")
    w.put(0, f"internal static unsafe class {t.name}")
    w.put(0, "{")
    kernel(w, t, False)
    if t.name != "Avx512Lanes8":
        w.put(0, "")
        kernel(w, t, True)
    w.put(0, "}")
    return "\n".join(w.lines) + "\n"


def main():
    where = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for t in TARGETS:
        with open(os.path.join(where, t.name + ".g.cs"), "w", encoding="utf-8") as f:
            f.write(write(t))


if __name__ == "__main__":
    main()
