# SPDX-License-Identifier: BSD-2-Clause
"""Reads the profiler's JSON on standard input, a document a line, and prints
what it says without what differs from run to run: history.py log|recent."""
import json
import re
import sys



def check_mappings(document):
    lines = document['mappings']
    assert lines and all(re.match('[0-9a-f]+-[0-9a-f]+ ..x', line)
                         for line in lines), lines


def inside(document, address):
    for line in document['mappings']:
        start, end = (int(n, 16) for n in line.split()[0].split('-'))
        if start <= int(address, 16) - 1 < end:
            return True
    return False


def log(document):
    info = document['info']
    assert list(document)[:4] == ['info', 'threads', 'stack_traces',
                                  'allocations'], list(document)
    assert list(info) == ['duration', 'version', 'lg_sample_rate',
                          'prof_time_resolution', 'pid'], list(info)
    traces = document['stack_traces']
    assert all(inside(document, a) for t in traces for a in t)
    names = [t['thr_name'] for t in document['threads']]
    for a in document['allocations']:
        assert a['alloc_timestamp'] <= a['free_timestamp']
        assert traces[a['alloc_trace']] and traces[a['free_trace']]
        assert a['alloc_trace'] != a['free_trace']
    if len(document['allocations']) > 100:
        few = document['allocations']
        assert len({a['alloc_trace'] for a in few}) == 1
        print('many', 40 * len(few) <= 1 << 20, document['dropped'] > 0,
              len(few) + document['dropped'])
        return
    for a in document['allocations']:
        print(a['usize'], names[a['alloc_thread']], '->',
              names[a['free_thread']])
    print('dropped', document['dropped'])


def recent(document):
    print('max', document['recent_alloc_max'], 'interval',
          document['sample_interval'])
    for a in document['recent_alloc']:
        assert all(inside(document, f) for f in a['alloc_trace'])
        assert a['alloc_trace']
        text = [a['size'], a['usize'], a['released'],
                a.get('alloc_thread_name')]
        if 'dalloc_time' in a:
            assert a['dalloc_time'] >= a['alloc_time'] and a['dalloc_trace']
            text.append(a.get('dalloc_thread_name'))
        print(*text)


for text in sys.stdin:
    parsed = json.loads(text)
    check_mappings(parsed)
    {'log': log, 'recent': recent}[sys.argv[1]](parsed)
