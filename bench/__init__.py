"""What Rowcast must cost, measured: `python -m bench` (see the table in ARCHITECTURE.md).

Every number is a ratio to something measured beside it in the same run, in short rounds that
alternate, since machines are noisy. The parts:

    lines.py     what must hold: one entry per line of the table; results, table, JSON
    bed.py       the database: a PostgreSQL of its own on disk, seeded; pgbench
    server.py    `rowcast serve` processes
    machine.py   CPU and memory of processes, from /proc
    child.py     helper processes that are told what to do in lines of JSON
    load.py      the HTTP load generator, a child
    streams.py   the client of many streams, a child
    client.py    one HTTP connection, one request at a time, for latencies
    patch.py, latency.py, sizes.py, bulk.py, fanout.py    the measurements
"""
