#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# malloc_stats_print at exit: text, JSON that parses, has jemalloc's structure
# and adds up; a program's output stays as it was.
. "$top_srcdir/tests/tap/tap.sh"

command -v python3 >/dev/null || skip_all 'python3 is not installed'
python=$(python3 -c 'import sys; print(sys.executable)')

plan 9

# statistics LETTERS: of a python that allocates, into $tmp/err.
statistics() {
	PYTHONMALLOC=malloc LD_PRELOAD=$liballoc \
		MALLOC_CONF="stats_print:true,stats_print_opts:$1" \
		"$python" -c 'print(len([bytes(i) for i in range(3000)]))'
}

runs 0 'a program with statistics at its end' statistics ''
echo 3000 >"$tmp/want"
same 'prints what it printed' "$tmp/want" "$tmp/out"
matches 'then statistics begin' '^___ Begin liballoc statistics ___$' \
	"$tmp/err"
matches 'and end' '^--- End liballoc statistics ---$' "$tmp/err"
matches 'a bin that it used is there' '^ +1024 +[0-9]+ +[0-9]+ ' "$tmp/err"

conf=prof_leak:true,prof_leak_error:true,lg_prof_sample:8
MALLOC_CONF=stats_print:true,$conf \
	LD_PRELOAD=$liballoc "$python" -c 1 >/dev/null 2>"$tmp/err"
matches 'also where leaks end the program' '^--- End liballoc' "$tmp/err"

runs 0 'the same as JSON' statistics J
cp "$tmp/err" "$tmp/json"
ok 'which is valid' "$python" -m json.tool "$tmp/json"

cat >"$tmp/check.py" <<'EOF'
import json
import sys

top = json.load(open(sys.argv[1]))["jemalloc"]
sections = ("version", "config", "opt", "arenas", "prof", "stats",
            "stats.arenas")
for section in sections:
    assert section in top, section
arenas, merged = top["arenas"], top["stats.arenas"]["merged"]
assert len(arenas["bin"]) == arenas["nbins"] == len(merged["bins"])
assert len(arenas["lextent"]) == arenas["nlextents"] == len(merged["lextents"])
assert top["opt"]["stats_print"] is True
assert top["opt"]["stats_print_opts"] == "J"
bins = sum(b["curregs"] * c["size"]
           for b, c in zip(merged["bins"], arenas["bin"]))
assert bins == merged["small"]["allocated"], bins
assert top["stats"]["allocated"] == bins + merged["large"]["allocated"]
ours = [a for name, a in top["stats.arenas"].items() if name != "merged"]
assert sum(a["pactive"] for a in ours) == merged["pactive"] > 0
assert merged["uptime_ns"] > 0
EOF
ok 'has the structure and adds up' "$python" "$tmp/check.py" "$tmp/json"
