# SPDX-License-Identifier: MPL-2.0
"""report.py JSON LAKEFS.lines PEER.lines...: lakebench's figures as a table
and as a JSON array (name, lakefs, peer, ratio and what each cost)."""
import json
import os
import sys


def read_lines(path):
    rows, threads = {}, {}
    for line in open(path):
        words = line.split()
        if words[:1] == ["row"]:
            rows[words[1]] = {
                words[i]: int(words[i + 1]) for i in range(2, len(words), 2)
            }
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


def print_costs(name, peer, lake, other):
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
                f"{ratio(lake['seconds'], other['seconds']):7.2f}"
                if who == "lakefs"
                else ""
            )
        )


def print_ratios(names, peers, rows, lake):
    print("\nlakefs / peer, seconds until all is applied (lower is better)")
    print(f"{'':18}{'lakefs s':>10}" + "".join(f"{p:>10}" for p in peers))
    for name in names:
        line = f"{name:18}{lake[name]['seconds']:10.4f}"
        for peer in peers:
            other = rows[peer].get(name)
            line += f"{ratio(lake[name]['seconds'], other['seconds']):10.2f}"
        print(line)


def main():
    target, lake_file, *peer_files = sys.argv[1:]
    lake_rows, lake_threads = read_lines(lake_file)
    lake = {name: figures(row) for name, row in lake_rows.items()}
    rows = {}
    for path in peer_files:
        peer = os.path.basename(path).removesuffix(".lines")
        rows[peer] = {n: figures(r) for n, r in read_lines(path)[0].items()}
    if not lake or any(set(r) != set(lake) for r in rows.values()):
        sys.exit("report.py: the filesystems do not have the same rows")
    records = []
    for peer, others in rows.items():
        print(
            f"\n{'':24}{'seconds':>9}{'program':>9}{'its CPU':>9}"
            f"{'daemons':>9}{'kernel':>9}{'written/':>10}{'read/':>9}"
            f"{'requ./':>8}{'flush/':>8}{'ratio':>7}"
        )
        print(
            f"{'':24}{'synced':>9}{'returned':>9}{'':9}{'CPU':>9}"
            f"{'threads':>9}{'op':>10}{'op':>9}{'op':>8}{'op':>8}"
        )
        for name in lake:
            print_costs(name, peer, lake[name], others[name])
            records.append(
                {
                    "name": name,
                    "peer": peer,
                    "lakefs": lake[name]["seconds"],
                    peer: others[name]["seconds"],
                    "ratio": round(
                        ratio(lake[name]["seconds"], others[name]["seconds"]), 4
                    ),
                    "lakefs_cost": lake[name],
                    "peer_cost": others[name],
                }
            )
    print_ratios(list(lake), list(rows), rows, lake)
    print("\nbusiest threads beside the program, ms:")
    for name, threads in lake_threads.items():
        listed = ", ".join(f"{who} {ms:.1f}" for ms, _, who in threads[:5])
        print(f"{name:18}{listed}")
    with open(target, "w") as out:
        json.dump(records, out, indent=1)
        out.write("\n")


main()
