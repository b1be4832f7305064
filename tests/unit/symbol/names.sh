#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Names, lines and inlined frames of programs made here, by compiler,
# optimization, DWARF version and way of linking. Labels in the programs say
# what is where.
. "$top_srcdir/tests/tap/tap.sh"

symbolize=$top_builddir/tests/unit/symbol/symbolize
command -v gcc >/dev/null 2>&1 || skip_all "no gcc"
plan 34

cat >"$tmp/x.c" <<-'EOC'
	#define MARK(name) __asm__ volatile(#name "_%=: nop" ::)
	static inline __attribute__((always_inline)) void inner(void)
	{
		MARK(mark);
	}
	static inline __attribute__((always_inline)) void middle(void)
	{
		inner();
	}
	__attribute__((noinline)) void outer(void)
	{
		middle();
	}
	__attribute__((aligned(4096))) char data[64] = "not code";
	int main(void)
	{
		outer();
		return 0;
	}
EOC
cat >"$tmp/x.cc" <<-'EOC'
	#define MARK(name) __asm__ volatile(#name "_%=: nop" ::)
	namespace app
	{
	template <class T> struct box {
		T value;
		__attribute__((noinline)) T add(T more)
		{
			MARK(mark_method);
			return value + more;
		}
	};
	namespace
	{
	__attribute__((noinline)) void hidden()
	{
		MARK(mark_hidden);
	}
	} // namespace
	static inline __attribute__((always_inline)) void folded()
	{
		MARK(mark_folded);
	}
	} // namespace app
	int main()
	{
		app::box<int> b = {1};
		auto lambda = [&](int n) __attribute__((noinline)) {
			MARK(mark_lambda);
			return n + b.value;
		};
		app::hidden();
		app::folded();
		return b.add(-1) + lambda(-1);
	}
EOC
cat >"$tmp/asm.S" <<-'EOC'
	.text
	.globl main
	.type main, @function
main:
	nop
here:	nop
	ret
	.size main, . - main
	.skip 64
gap:	nop
	.skip 64
	.type sizeless, @function
sizeless:
	nop
	.type inside, @object
	.size inside, 1
inside:	nop
	ret
	.section .note.GNU-stack,"",@progbits
EOC

# address FILE LABEL: the address, as linked, of the label.
address() {
	nm "$1" | awk -v name="^$2(_[0-9]+)?$" '$3 ~ name { print $1; exit }'
}

# names WANTED DESCRIPTION FILE LABEL [OPTION]...
names() {
	wanted=$1 what=$2 file=$3 label=$4
	shift 4
	echo "$wanted" >"$tmp/wanted"
	"$symbolize" "$@" "$file" "$(address "$file" "$label")" >"$tmp/named"
	same "$what" "$tmp/wanted" "$tmp/named"
}

# compiles COMPILER OPTION...: or says no.
compiles() {
	command -v "$1" >/dev/null 2>&1 && "$@" 2>"$tmp/err"
}

chain='inner x.c:4 < middle x.c:8 < outer x.c:12'
for cc in gcc clang; do
	for options in '-O2 -gdwarf-4' '-O2 -gdwarf-5' '-O0 -gdwarf-5' \
		'-O2 -g -no-pie' '-O2 -g -gz' '-O2 -g -static' \
		'-O2 -g -flto' '-O2 -g -gsplit-dwarf'; do
		what="$cc $options"
		rm -f "$tmp/x"
		# shellcheck disable=SC2086
		if (cd "$tmp" && compiles $cc $options x.c -o x); then
			names "$chain" "$what" "$tmp/x" mark
		else
			skip "$what" "cannot compile so"
		fi
	done
done

for cxx in g++ clang++; do
	rm -f "$tmp/xx"
	if ! compiles $cxx -O2 -g "$tmp/x.cc" -o "$tmp/xx"; then
		for what in method hidden folded lambda; do
			skip "$cxx: $what" "cannot compile so"
		done
		continue
	fi
	names 'app::box<int>::add(int) x.cc:8' "$cxx: a method of a template" \
		"$tmp/xx" mark_method
	names "$("$symbolize" "$tmp/xx" "$(address "$tmp/xx" mark_hidden)" |
		grep -xE 'app::\(anonymous namespace\)::hidden(\(\))? x.cc:16')" \
		"$cxx: an anonymous namespace" "$tmp/xx" mark_hidden
	names "$("$symbolize" "$tmp/xx" "$(address "$tmp/xx" mark_folded)" |
		grep -xE 'app::folded(\(\))? x.cc:21 < main x.cc:32')" \
		"$cxx: an inlined static function" "$tmp/xx" mark_folded
	names "$("$symbolize" "$tmp/xx" "$(address "$tmp/xx" mark_lambda)" |
		grep -xE 'main::.*::operator\(\)(\(int\))?( const)? x.cc:28')" \
		"$cxx: a lambda" "$tmp/xx" mark_lambda
done

gcc -O2 -g "$tmp/x.c" -o "$tmp/x"
names 'outer x.c:12' 'without inlined frames, the line is the call' \
	"$tmp/x" mark -n
echo "$chain" >"$tmp/wanted"
gcc -O2 -g -shared -fPIC "$tmp/x.c" -o "$tmp/libx.so"
names "$chain" 'a shared library' "$tmp/libx.so" mark
gcc -O2 -g -c "$tmp/x.c" -o "$tmp/x.o"
gcc "$tmp/x.o" -o "$tmp/x"
if objcopy --remove-section .debug_aranges "$tmp/x" "$tmp/y" 2>/dev/null; then
	names "$chain" 'without .debug_aranges' "$tmp/y" mark
else
	skip 'without .debug_aranges' 'no objcopy'
fi
gcc "$tmp/x.c" -O2 -o "$tmp/x"
names outer 'without DWARF, the symbol table' "$tmp/x" mark
(cd "$tmp" && gcc -g asm.S -o asm)
names 'main asm.S:6' 'assembly has a name and a line' "$tmp/asm" here
names '[no symbol here]' 'what no symbol covers has no name' "$tmp/asm" gap
end=$(printf '%x' $((0x$(address "$tmp/asm" inside) - 1)))
"$symbolize" "$tmp/asm" "$end" >"$tmp/named"
matches 'a function without size ends' '^sizeless asm.S:14$' "$tmp/named"
names '[no symbol here]' 'where another symbol begins' "$tmp/asm" inside
names '[no symbol here]' 'data names no code' "$tmp/x" data
if compiles rustc --version >/dev/null; then
	cat >"$tmp/r.rs" <<-'EOC'
		#![allow(named_asm_labels)]
		struct Cache { items: Vec<u64> }
		impl Cache {
		    #[inline(never)]
		    fn grow(&mut self, n: u64) {
		        unsafe { std::arch::asm!("mark_rust: nop") };
		        self.items.push(n);
		    }
		}
		fn main() {
		    let mut c = Cache { items: vec![] };
		    c.grow(1);
		    std::process::exit(c.items.len() as i32 - 1);
		}
	EOC
	rustc -g -O "$tmp/r.rs" -o "$tmp/r" 2>"$tmp/err"
	"$symbolize" "$tmp/r" "$(address "$tmp/r" mark_rust)" >"$tmp/named"
	matches 'Rust' '^(r::Cache::grow|<r::Cache>::grow) r.rs:6$' \
		"$tmp/named"
else
	skip 'Rust' 'no rustc'
fi
