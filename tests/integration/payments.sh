# SPDX-License-Identifier: BSD-2-Clause
# The bundled service: the same payments from the same seed on any allocator,
# a leak only where it is asked for, and nothing wrong for the sanitizers.
. "$top_srcdir/tests/tap/tap.sh"
plan 18

payments=$top_builddir/examples/payments/payments

# peak_kib COMMAND...: the command's peak resident memory, seen from outside.
peak_kib() {
	"$@" >/dev/null &
	pid=$!
	peak=0
	while grep VmHWM "/proc/$pid/status" >"$tmp/status" 2>/dev/null; do
		read -r _ peak _ <"$tmp/status"
		sleep 0.1
	done
	wait "$pid"
	echo "$peak"
}

# builds_and_runs SANITIZERS: no report from them, on fixed work and by time.
builds_and_runs() {
	${CC:-cc} -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize="$1" \
		-fno-sanitize-recover=all -I"$top_srcdir/liballoc/include" \
		"$top_srcdir"/examples/payments/*.c -o "$tmp/sane" -lpthread &&
		"$tmp/sane" --payments=30000 --threads=4 &&
		"$tmp/sane" --seconds=1 --rate=5000 --leak=4M --quiet
}

# has SANITIZER: whether the compiler brings it.
has() {
	echo 'int main(void) { return 0; }' >"$tmp/has.c"
	${CC:-cc} -fsanitize="$1" "$tmp/has.c" -o "$tmp/has" 2>/dev/null &&
		"$tmp/has" 2>/dev/null
}

runs 0 'fixed work' "$payments" --payments=40000
cp "$tmp/out" "$tmp/first"
matches 'ends with its totals' '^[0-9]+ payments approved, [0-9]+ declined' \
	"$tmp/first"
runs 0 'the same again' "$payments" --payments=40000
same 'gives the same payments' "$tmp/first" "$tmp/out"
runs 0 'the same on liballoc' preload "$payments" --payments=40000
same 'gives the same payments' "$tmp/first" "$tmp/out"
ok 'and no word on stderr' test ! -s "$tmp/err"
runs 0 'another seed' "$payments" --payments=40000 --seed=2
runs 1 'gives other payments' cmp -s "$tmp/first" "$tmp/out"

jemalloc=libjemalloc.so.2
if [ -z "$(LD_PRELOAD=$jemalloc true 2>&1)" ]; then
	runs 0 'the same on jemalloc, whose API it shares' \
		env LD_PRELOAD=$jemalloc MALLOC_CONF=stats_print:true \
		"$payments" --payments=40000
	same 'gives the same payments' "$tmp/first" "$tmp/out"
	ok 'and has an arena for each subsystem' \
		test "$(grep -c '^arenas\[[0-9]*\]:$' "$tmp/err")" -ge 5
else
	skip 'on jemalloc' 'libjemalloc2 is not installed'
	skip 'on jemalloc: output' 'libjemalloc2 is not installed'
	skip 'on jemalloc: arenas' 'libjemalloc2 is not installed'
fi

plain=$(peak_kib "$payments" --seconds=2 --rate=2000 --quiet)
leaky=$(peak_kib "$payments" --seconds=2 --rate=2000 --quiet --leak=30M)
ok "--leak leaks what it says ($plain KiB, then $leaky KiB)" \
	test "$leaky" -gt $((plain + 40 * 1024))

for sanitizers in address,undefined thread; do
	if has "$sanitizers"; then
		ok "sound by -fsanitize=$sanitizers" builds_and_runs $sanitizers
	else
		skip "-fsanitize=$sanitizers" 'the compiler has it not'
	fi
done

runs 2 'an option that is none' "$payments" --sconds=3
runs 2 'a number that is none' "$payments" --seconds=3x
runs 2 'a number beyond its limits' "$payments" --threads=100000
