#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks a profile.proto against the comments of its definition, with a
decoder of its own, and prints the totals of its sample types."""

import gzip
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "a field passes the end"
            value, at = data[at:at + size], at + size
        else:
            raise AssertionError("wire type %d" % (tag & 7))
        yield tag >> 3, value


def numbers(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value - (1 << 64) if value >> 63 else value)
    return values


def main():
    raw = open(sys.argv[1], "rb").read()
    assert raw[4:8] == bytes(4), "the gzip header has a time in it"
    top = {}
    for number, value in fields(gzip.decompress(raw)):
        assert 1 <= number <= 14, "field %d" % number
        top.setdefault(number, []).append(value)
    strings = [s.decode() for s in top[6]]
    assert strings[0] == "", "string 0 is not empty"
    assert len(set(strings)) == len(strings), "a string comes twice"
    types = [dict(fields(t)) for t in top[1]]
    names = [strings[t[1]] for t in types]
    assert names == ["alloc_objects", "alloc_space", "inuse_objects",
                     "inuse_space"], names
    assert [strings[t[2]] for t in types] == ["count", "bytes"] * 2
    period = dict(fields(top[11][0]))
    assert (strings[period[1]], strings[period[2]]) == ("space", "bytes")
    assert strings[top[14][0]] == "inuse_space"

    mappings = {m[1]: m for m in (dict(fields(x)) for x in top.get(3, []))}
    functions = {f[1]: f for f in (dict(fields(x)) for x in top.get(5, []))}
    locations = {}
    for x in top[4]:
        location = {}
        for number, value in fields(x):
            if number == 4:
                line = dict(fields(value))
                assert line[1] in functions, "a function is missing"
            else:
                location[number] = value
        if 2 in location:
            mapping = mappings[location[2]]
            assert mapping[2] <= location[3] < mapping[3], \
                "an address is outside its mapping"
        locations[location[1]] = location
    assert 0 not in mappings and 0 not in functions and 0 not in locations
    for mapping in mappings.values():
        assert strings[mapping[5]].startswith("/") or \
            strings[mapping[5]].startswith("[")
    totals, used = [0] * 4, set()
    for sample in top[2]:
        for number, value in fields(sample):
            if number == 1:
                used.update(numbers(value))
            elif number == 2:
                values = numbers(value)
                assert len(values) == 4, "a sample has no four values"
                totals = [a + b for a, b in zip(totals, values)]
            elif number == 3:
                key = strings[dict(fields(value))[1]]
                assert key in ("bytes", "thread"), key
    assert used == set(locations), "locations and their uses differ"
    for name, total in zip(names, totals):
        print(name, total)
    for mapping in mappings.values():
        if mapping.get(6):
            print("build_id", strings[mapping[6]])


main()
