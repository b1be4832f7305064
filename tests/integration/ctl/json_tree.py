# SPDX-License-Identifier: BSD-2-Clause
"""Compares the trees of keys of two outputs of malloc_stats_print in JSON.

Usage: json_tree.py OURS THEIRS ALLOWED

A path goes by keys; the elements of arrays, and the arenas by number, count as
one. ALLOWED has lines "lacks PATTERN # reason" and "adds PATTERN # reason".
Prints what differs beyond that.
"""
import json
import re
import sys


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "number"
    return type(value).__name__


def tree(value, path, into):
    into.setdefault(path, set()).add(kind(value))
    if isinstance(value, dict):
        for key, inner in value.items():
            if re.fullmatch(r"\d+", key):
                key = "<i>"
            tree(inner, path + "/" + key, into)
    elif isinstance(value, list):
        for inner in value:
            tree(inner, path + "[]", into)
    return into


def load(name):
    with open(name) as file:
        return tree(json.load(file), "", {})


def allowed(name):
    rules = {"lacks": [], "adds": []}
    with open(name) as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                rules[words[0]].append(words[1])
    return rules


def judge(what, paths, rules):
    bad = []
    for path in sorted(paths):
        if not any(re.search(rule, path) for rule in rules):
            bad.append(f"{what} {path}")
    return bad


def main():
    ours, theirs = load(sys.argv[1]), load(sys.argv[2])
    rules = allowed(sys.argv[3])
    bad = judge("lacks", theirs.keys() - ours.keys(), rules["lacks"])
    bad += judge("adds", ours.keys() - theirs.keys(), rules["adds"])
    for path in sorted(ours.keys() & theirs.keys()):
        if ours[path] != theirs[path]:
            bad.append(f"differs {path}: {ours[path]}, {theirs[path]}")
    print("\n".join(bad))
    return 1 if bad else 0


sys.exit(main())
