# SPDX-License-Identifier: BSD-2-Clause
# The demonstration finds the leak, draws its pictures, and leaves nothing
# behind.
. "$top_srcdir/tests/tap/tap.sh"
plan 10

# A build folder of its own, so that the demonstration's files are ours.
mkdir "$tmp/build"
for part in jeprof jeheapdiff jestat liballoc examples; do
	ln -s "$top_builddir/$part" "$tmp/build/$part"
done

runs 0 'the demonstration runs' \
	env TOUR_SECONDS=4 sh "$top_srcdir/examples/tour.sh" "$tmp/build"
matches 'jeprof reads the running service' '^Total: +[0-9.]+ MiB' "$tmp/out"
matches 'and names its functions' ' profile_load$' "$tmp/out"
matches 'jeheapdiff finds the leak' 'grew .*declines_remember' "$tmp/out"
matches 'jestat shows rows' '^ *allocated +active +resident' "$tmp/out"
matches 'and arenas' '^arena +threads +allocated' "$tmp/out"
matches 'the flame graph is there' '<html' "$tmp/build/demo/flame.html"
matches 'the call graph is there' '<svg' "$tmp/build/demo/callgraph.svg"
service=$(sed -n 's/^\$ jestat \([0-9]*\) 1 3$/\1/p' "$tmp/out")
ok 'nothing was said on stderr' test ! -s "$tmp/err"
ok "the service, process $service, is gone" test ! -e "/proc/$service/maps"
