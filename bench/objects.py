# SPDX-License-Identifier: BSD-2-Clause
# Many small Python objects: dictionaries, strings, tuples, JSON, sorting; a
# part of them is kept.
import json

def main(rounds):
    total, kept = 0, []
    for seed in range(rounds):
        x = seed + 1
        table = {}
        for i in range(40000):
            x = (x * 1103515245 + 12345) & 0x7fffffff
            table["key%d" % (x % 9973)] = (i, str(x), [x, i])
        text = json.dumps(table)
        back = json.loads(text)
        rows = sorted(back.items(), key=lambda row: row[1][1])
        kept.append(rows[seed % 2::2])
        total += len(text) + len(rows)
    print(total)

main(8)
