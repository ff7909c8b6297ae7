# SPDX-License-Identifier: MPL-2.0
"""report.py MEASURE JSON LAKEFS.lines PEER.lines...: lakebench's figures as a
table and as a JSON array (name, lakefs, peer, ratio and what each cost).
MEASURE says whose ratio counts: seconds (until all is synced) or
program_seconds (until the program was done). Of several rounds, the smallest."""
import json
import os
import sys


MEASURES = {
    "seconds": "seconds until all is applied",
    "program_seconds": "seconds until the program is done",
}
COLUMNS = {"seconds": "ns", "program_seconds": "program_ns"}


def read_lines(path, measure):
    rows, threads = {}, {}
    for line in open(path):
        words = line.split()
        if words[:1] == ["row"]:
            row = {words[i]: int(words[i + 1]) for i in range(2, len(words), 2)}
            column = COLUMNS[measure]
            if words[1] not in rows or row[column] < rows[words[1]][column]:
                rows[words[1]] = row
        elif words[:1] == ["thread"]:
            threads.setdefault(words[1], []).append(
                (int(words[4]) / 1e6, words[2], " ".join(words[5:]))
            )
    return rows, threads


def figures(row):
    """Of one filesystem, per operation where that says more."""
    ops = row["ops"]
    return {
        "seconds": row["ns"] / 1e9,
        "program_seconds": row["program_ns"] / 1e9,
        "program_cpu": row["cpu_program"] / 1e9,
        "background_cpu": (row["cpu_daemon"] + row["cpu_kernel"]) / 1e9,
        "daemon_cpu": row["cpu_daemon"] / 1e9,
        "bytes_written_per_op": row["write_bytes"] / ops,
        "bytes_read_per_op": row["read_bytes"] / ops,
        "requests_per_op": (row["reads"] + row["writes"]) / ops,
        "flushes_per_op": row["flushes"] / ops,
    }


def ratio(a, b):
    return a / b if b else 0.0


def print_costs(name, peer, lake, other, measure):
    """Where the time went: one line for each of two filesystems."""
    for who, f in (("lakefs", lake), (peer, other)):
        print(
            f"{name if who == 'lakefs' else '':17}{who:7}"
            f"{f['seconds']:9.4f}{f['program_seconds']:9.4f}"
            f"{f['program_cpu']:9.4f}{f['daemon_cpu']:9.4f}"
            f"{f['background_cpu'] - f['daemon_cpu']:9.4f}"
            f"{f['bytes_written_per_op']:10.0f}{f['bytes_read_per_op']:9.0f}"
            f"{f['requests_per_op']:8.3f}{f['flushes_per_op']:8.4f}"
            + (
                f"{ratio(lake[measure], other[measure]):7.2f}"
                if who == "lakefs"
                else ""
            )
        )


def print_ratios(names, peers, rows, lake, measure):
    print(f"\nlakefs / peer, {MEASURES[measure]} (lower is better)")
    print(f"{'':18}{'lakefs s':>10}" + "".join(f"{p:>10}" for p in peers))
    for name in names:
        line = f"{name:18}{lake[name][measure]:10.4f}"
        for peer in peers:
            other = rows[peer].get(name)
            line += f"{ratio(lake[name][measure], other[measure]):10.2f}"
        print(line)


def record(name, peer, lake, other, measure):
    return {
        "name": name,
        "peer": peer,
        "measure": measure,
        "lakefs": lake[measure],
        peer: other[measure],
        "ratio": round(ratio(lake[measure], other[measure]), 4),
        "lakefs_cost": lake,
        "peer_cost": other,
    }


def print_heading():
    print(
        f"\n{'':24}{'seconds':>9}{'program':>9}{'its CPU':>9}{'daemons':>9}"
        f"{'kernel':>9}{'written/':>10}{'read/':>9}{'requ./':>8}{'flush/':>8}"
        f"{'ratio':>7}\n{'':24}{'synced':>9}{'returned':>9}{'':9}{'CPU':>9}"
        f"{'threads':>9}{'op':>10}{'op':>9}{'op':>8}{'op':>8}"
    )


def main():
    measure, target, lake_file, *peer_files = sys.argv[1:]
    lake_rows, lake_threads = read_lines(lake_file, measure)
    lake = {name: figures(row) for name, row in lake_rows.items()}
    rows, records = {}, []
    for path in peer_files:
        peer = os.path.basename(path).removesuffix(".lines")
        lines = read_lines(path, measure)[0]
        rows[peer] = {name: figures(row) for name, row in lines.items()}
    if not lake or any(set(r) != set(lake) for r in rows.values()):
        sys.exit("report.py: the filesystems do not have the same rows")
    for peer, others in rows.items():
        print_heading()
        for name in lake:
            print_costs(name, peer, lake[name], others[name], measure)
            records.append(record(name, peer, lake[name], others[name], measure))
    print_ratios(list(lake), list(rows), rows, lake, measure)
    print("\nbusiest threads beside the program, ms:")
    for name, threads in lake_threads.items():
        listed = ", ".join(f"{who} {ms:.1f}" for ms, _, who in threads[:5])
        print(f"{name:18}{listed}")
    with open(target, "w") as out:
        json.dump(records, out, indent=1)
        out.write("\n")


main()
