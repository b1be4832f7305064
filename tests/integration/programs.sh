# SPDX-License-Identifier: BSD-2-Clause
# Real programs give the same output and the same exit status on liballoc as
# without it; once as it is out of the box, once with a sample every 4 KiB,
# so that the profiler is well in their way. ALLOCATOR=libjemalloc.so.2 runs
# the same on another allocator. Run by make check-programs.
. "$top_srcdir/tests/tap/tap.sh"
plan 43

allocator=${ALLOCATOR:-$liballoc}
programs=$top_srcdir/tests/integration/programs
limit=600 # seconds, for one program
PATH=/usr/bin:/bin:$PATH # Debian's programs, not others of the same name

# within COMMAND..., with CONF COMMAND...: in a folder made for it; with runs
# it on the allocator.
within() {
	rm -rf "$tmp/here"
	mkdir "$tmp/here"
	(cd "$tmp/here" && timeout "$limit" "$@")
}

with() {
	conf=$1
	shift
	within env "LD_PRELOAD=$allocator" "MALLOC_CONF=$conf" "$@"
}

# run_as NAME COMMAND...: leaves NAME.out, NAME.err and NAME.status in $tmp.
run_as() {
	name=$1
	shift
	"$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null
	echo "exit status $?" >"$tmp/$name.status"
	filter "$tmp/$name.out"
}

# Takes out of a file what differs from one run to the next.
filter() {
	:
}

# agrees NAME: whether it printed and returned what `plain` did.
agrees() {
	cmp -s "$tmp/plain.out" "$tmp/$1.out" &&
		cmp -s "$tmp/plain.status" "$tmp/$1.status"
}

compare() {
	agrees "$1"
	result $? "$2" || {
		diff "$tmp/plain.status" "$tmp/$1.status" | sed 's/^/# /'
		diff "$tmp/plain.out" "$tmp/$1.out" | head -n 20 | sed 's/^/# /'
		tail -n 20 "$tmp/$1.err" | sed 's/^/# /'
	}
}

# same_on_both DESCRIPTION STATUS COMMAND...: three tests.
same_on_both() {
	what=$1 status=$2
	shift 2
	run_as plain within "$@"
	[ "$(cat "$tmp/plain.status")" = "exit status $status" ]
	result $? "$what: runs without liballoc" ||
		tail -n 20 "$tmp/plain.err" | sed 's/^/# /'
	run_as default with '' "$@"
	compare default "$what: the same on it"
	run_as sampled with prof:true,lg_prof_sample:12 "$@"
	compare sampled "$what: the same on it, sampled often"
}

runs 0 'the allocator is in place' with '' cat /proc/self/maps
matches 'and is the one under test' "${allocator##*/}" "$tmp/out"
runs 0 'and says nothing' with '' true
ok 'on stderr' test ! -s "$tmp/err"

same_on_both 'bash and coreutils' 0 bash "$programs/shell.sh"
same_on_both git 0 sh "$programs/git.sh"
same_on_both perl 0 perl "$programs/workload.pl"
same_on_both sqlite3 0 sh -c \
	"sqlite3 data.db <'$programs/workload.sql' && sha256sum data.db"
same_on_both node 5 node "$programs/workload.js"
same_on_both redis-server 0 sh "$programs/redis.sh"

same_on_both 'gcc compiling' 0 sh -c "gcc -O2 -g0 -D_GNU_SOURCE \
	-I'$top_srcdir/liballoc/include' -S \
	'$top_srcdir'/examples/payments/*.c && cat *.s | sha256sum"
same_on_both 'clang compiling' 0 sh -c "clang -O2 -g0 -D_GNU_SOURCE \
	-I'$top_srcdir/liballoc/include' -S \
	'$top_srcdir'/examples/payments/*.c && cat *.s | sha256sum"
same_on_both 'g++ compiling' 0 sh -c \
	"g++ -O1 '$programs/workload.cc' -S -o - | sha256sum"
same_on_both 'a compiler that finds errors' 1 sh -c \
	"{ echo '#include <map>'; echo 'std::map<int, int> m = m + x;'; } |
	g++ -fsyntax-only -x c++ - 2>&1"

g++ -O1 "$programs/workload.cc" -o "$tmp/workload" -lpthread
same_on_both 'a C++ program' 0 "$tmp/workload"

# Times and loads differ; what passed, and how many, must not.
filter() {
	sed -i -E -e '/load avg|Total duration|^== |^0:00:/d' \
		-e 's/ in [0-9.]+ ?(s|sec|ms|min)[^ ]*//' "$1"
}
same_on_both "CPython's own tests" 0 env PYTHONMALLOC=malloc python3 -m test \
	test_json test_dict test_list test_gc test_threading test_thread \
	test_fork1 test_weakref test_deque test_re test_zlib

filter() {
	sed -i -E -e '/run completed|dispatching hogs/!d' \
		-e 's/^.*info: *\[[0-9]+\] *//; s/ in [0-9.]+.*//' "$1"
}
same_on_both 'stress-ng' 0 sh -c 'stress-ng --verify --timeout 60 \
	--malloc 2 --malloc-ops 60000 --malloc-pthreads 2 --malloc-touch \
	--tree 1 --tree-ops 20 --list 1 --list-ops 200 \
	--hsearch 1 --hsearch-ops 50 2>&1'
