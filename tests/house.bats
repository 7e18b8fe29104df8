#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# The rules of the house, as far as a machine can see them. Each check prints what breaks its rule in a source
# tree, and each test shows it first a tree where the rule is broken.

bats_require_minimum_version 1.5.0

setup()
{
	load helper
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/src" "$tree/man" "$tree/tests" "$tree/contrib" "$tree/.ci"
}

need()
{
	command -v "$1" >/dev/null || skip "$1 is not installed (apt-get install $2)"
}

# finds CHECK TEXT: in the planted tree.
finds()
{
	run "$1" "$tree"
	assert_output --partial "$2"
}

# clean CHECK: in the source tree.
clean()
{
	run "$1" "$PNEU_SRC"
	assert_success
	assert_output ""
}

c_files()
{
	find "$1/src" "$1/tests" "$1/contrib" -name '*.[ch]' | sort
}

# What people write: C, shell, manuals, the build. Nothing else may stand in some files of Debian's, whose
# copyright is for all of them.
written_files()
{
	c_files "$1"
	find "$1" -type f -regex "$1/\(tests\|contrib\|\.ci\|man\)/.*" \
	    \( -name '*.bats' -o -name '*.bash' -o -name '*.sh' -o -name '*.[157]' -o -name '*.awk' -o \
	    -name '*.in' -o ! -name '*.*' \) \
	    ! -path '*/contrib/completion/*/*' ! -path '*/contrib/debian/changelog' \
	    ! -path '*/contrib/debian/copyright' ! -path '*/contrib/debian/source/*' \
	    ! -path '*/dialogues/*' ! -path '*/messages/*' ! -path '*/fuzz/*' ! -path '*/.deps/*' \
	    -exec grep -Il '' {} + | sort
	find "$1" -maxdepth 1 \( -name configure.ac -o -name Makefile.am \)
}

# --- the cut of the source

includes_upwards()
{
	awk 'NR == FNR { for (i = 2; i <= NF; i++) floor[$i] = $1 * 100 + i; next }
	    FNR == 1 { me = FILENAME; sub(/.*\//, "", me); sub(/\.[ch]$/, "", me)
		if (!(me in floor)) print FILENAME ": on no floor" }
	    /^[ \t]*#[ \t]*include[ \t]*"/ { split($0, part, /["]/); it = part[2]; sub(/\.h$/, "", it)
		if (it == "config" || it == me) next
		if (!(it in floor) || floor[it] >= floor[me]) print FILENAME ":" FNR ": includes " it }' \
	    "$1/src/floors" "$1"/src/*.[ch]
}

@test "a file includes only what is below it" {
	printf '0 a b\n1 c\n' >"$tree/src/floors"
	printf '#include "config.h"\n#include "b.h"\n' >"$tree/src/a.c"
	printf '#include "c.h"\n' >"$tree/src/b.h"
	printf '#include "a.h"\n' >"$tree/src/c.c"
	printf '#include <stdio.h>\n' >"$tree/src/d.c"
	finds includes_upwards "a.c:2: includes b"
	finds includes_upwards "b.h:1: includes c"
	finds includes_upwards "d.c: on no floor"
	refute_output --partial "c.c"
	clean includes_upwards
}

# A manual is as long as it has to be.
long_files()
{
	written_files "$1" | grep -v '/man/' | xargs wc -l |
	    awk '$2 != "total" && $1 > 600 { print $2 ": " $1 " lines" }'
}

@test "no file has more than 600 lines" {
	seq 600 >"$tree/src/a.c"
	seq 601 >"$tree/src/b.c"
	finds long_files "b.c: 601 lines"
	refute_output --partial "a.c"
	clean long_files
}

# In columns: a tab goes to the next multiple of eight, and a letter of several octets is one.
wide_lines()
{
	written_files "$1" | while read -r file; do
		LC_ALL=C sed 's/[\x80-\xbf]//g' "$file" | expand |
		    LC_ALL=C awk -v file="$file" '
			length($0) > 110 { print file ":" NR ": " length($0) " columns" }'
	done
}

@test "no line is wider than 110 columns" {
	printf '%0110d\n%0111d\n\t%0103d\n' 0 0 0 >"$tree/src/a.c"
	finds wide_lines "a.c:2: 111 columns"
	finds wide_lines "a.c:3: 111 columns"
	refute_output --partial "a.c:1:"
	clean wide_lines
}

functions()
{
	c_files "$1" |
	    xargs ctags -x --languages=C --langmap=C:.c.h --kinds-C=f --_xformat='%F %n %{end} %N'
}

long_functions()
{
	functions "$1" |
	    awk '$3 - $2 + 1 > 80 { print $1 ":" $2 ": " $4 "() has " $3 - $2 + 1 " lines" }'
}

@test "no function has more than 80 lines" {
	need ctags universal-ctags
	{
		printf 'int\nf(void)\n{\n'
		seq -f '	/* %g */' 78
		printf '}\n'
	} >"$tree/src/a.c"
	finds long_functions "f() has 81 lines"
	sed -i '/ 78 /d' "$tree/src/a.c"
	run long_functions "$tree"
	assert_output ""
	clean long_functions
	assert [ "$(functions "$PNEU_SRC" | wc -l)" -gt 100 ]
}

# Comments may say these names: their lines and ends of lines are left out.
forbidden_functions()
{
	local names='v?sprintf|strn?cpy|strn?cat|ato[il]|atoll|gets|system|popen|s?rand|strtok'

	names="$names|alloca|tmpnam|mktemp"

	c_files "$1" | xargs awk -v call="(^|[^A-Za-z0-9_])($names)[ \t]*[(]" '
	    /^[ \t]*\/?\*([ \t]|$)/ { next }
	    { line = $0; gsub(/\/\*.*(\*\/|$)/, "", line) }
	    line ~ call { print FILENAME ":" FNR ": " $0 }'
}

@test "no function is called that the rules forbid" {
	cat >"$tree/src/a.c" <<-'END'
		/* never system(this) */
		 * nor strcpy (that)
		n = atoi(s); /* bad */
		snprintf(a, b); my_strcpy(a, b);
		(void)strcat (a, b);
	END
	finds forbidden_functions "a.c:3: "
	finds forbidden_functions "a.c:5: "
	assert_equal "${#lines[@]}" 2
	clean forbidden_functions
}

# Files of tests/ that make check leaves out, and files that a tarball would be without.
left_out()
{
	local lines tests file

	lines=" $(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$1/Makefile.am" | tr -s '\t' ' ') "
	tests=" $(grep -E '^ *(BATS_)?TESTS ' <<<"$lines" | tr '\n' ' ') "
	for file in "$1"/tests/*.{bats,bash,sh,c,h}; do
		file=tests/${file##*/}
		[ -e "$1/$file" ] || continue
		if [[ $file == *.bats && $tests != *" $file "* ]]; then
			echo "$file is not in TESTS"
		elif [[ ${lines//$'\n'/ } != *" $file "* ]]; then
			echo "$file is not in Makefile.am"
		fi
	done
}

@test "each file of tests/ has its place in Makefile.am" {
	touch "$tree"/tests/{a.bats,b.bats,c.bash,d.bash}
	printf '%s\n' 'TESTS = tests/x \' '	tests/a.bats' 'EXTRA_DIST = tests/c.bash tests/b.bats' \
	    >"$tree/Makefile.am"
	run left_out "$tree"
	assert_line "tests/b.bats is not in TESTS"
	assert_line "tests/d.bash is not in Makefile.am"
	assert_equal "${#lines[@]}" 2
	clean left_out
}

# --- what each file says of itself, and of the machine it was written on

unlicensed()
{
	written_files "$1" | while read -r file; do
		if ! head -n 15 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
		    ! head -n 15 "$file" | grep -q 'Copyright (c) 20[0-9][0-9] The pneu authors'; then
			echo "$file"
		fi
	done
}

@test "each file carries the licence" {
	echo "/* Copyright (c) 2026 The pneu authors */" >"$tree/src/b.c"
	echo "# SPDX-License-Identifier: ISC" >"$tree/tests/c.bats"
	cat "$tree/src/b.c" "$tree/tests/c.bats" >"$tree/src/a.c"
	finds unlicensed "b.c"
	finds unlicensed "c.bats"
	refute_output --partial "a.c"
	clean unlicensed
}

unfinished()
{
	written_files "$1" | xargs grep -HnwE '[T]ODO|[F]IXME|[X]XX([^-]|$)|[H]ACK'
	true
}

@test "nothing is left for later" {
	printf '/* %s: later */\n' TO""DO >"$tree/src/a.c"
	finds unfinished "a.c:1:"
	clean unfinished
}

# Where people keep checkouts; the home directory of the x of the examples is no such place.
machine_paths()
{
	{
		written_files "$1"
		find "$1" -maxdepth 1 \( -name README -o -name NEWS -o -name DEPARTURES \)
		find "$1/tests" -path '*/dialogues/*' -type f
	} | xargs grep -HnE '/[w]ork/|/[r]oot/|/[U]sers/|/[h]ome/([^x]|x[a-z])|/tmp/[p]neu/'
	true
}

@test "no path of the machine it was written on" {
	echo "see /""root/pneu/src" >"$tree/README"
	echo "/* /home/x/.config is an example, /ho""me/joe/pneu is not */" >"$tree/src/a.c"
	finds machine_paths "README:1:"
	finds machine_paths "a.c:1:"
	clean machine_paths
}

# --- the manuals

loose_manuals()
{
	find "$1/man" -name '*.[157]' -exec mandoc -Tlint -Wwarning {} +
	true
}

@test "mandoc has nothing to say about the manuals" {
	need mandoc mandoc
	printf '.Dd November 24, 2026\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd b\n.Bl\n' >"$tree/man/a.1"
	finds loose_manuals "a.1"
	clean loose_manuals
	assert [ -e "$PNEU_SRC/man/pneu.1" ]
	assert [ -e "$PNEU_SRC/man/pneu.conf.5" ]
}

# The names of the settings, from their table.
settings()
{
	sed -n 's/^[ \t]*{ "\([a-z-]*\)", T_.*/\1/p' "$1/src/settings.c"
}

# What the item lines of a manual start with: `.It Ic server Ar url` gives server.
items()
{
	sed -n 's/^\.It \(Ic\|Cm\|Va\|Sy\) \([a-z-]*\).*/\2/p' "$1"
}

unexplained_settings()
{
	diff <(settings "$1" | sort) <(items "$1/man/pneu.conf.5" | sort -u) | sed -n 's/^< //p'
}

@test "each setting has an entry in pneu.conf(5)" {
	printf '\t{ "%s", T_STRING,\n' server user no-such >"$tree/src/settings.c"
	printf '.It Ic %s Ar value\n' user server include >"$tree/man/pneu.conf.5"
	run unexplained_settings "$tree"
	assert_output "no-such"
	clean unexplained_settings
	assert [ "$(settings "$PNEU_SRC" | wc -l)" -ge 17 ]
}

# Every "Fl -name" and "Fl x" of the item lines of a manual, as --name and -x.
flags()
{
	grep '^\.It Fl ' "$1" | grep -oE 'Fl -?[A-Za-z-]+' | sed 's/^Fl /-/'
}

# The options in --help, in the same form; those before the settings, which pneu.conf(5) explains.
options()
{
	"$PNEU" --help | sed -e '/^Settings/,$d' -e '/^ *-/!d' -e 's/\([^ ]\)  .*/\1/' |
	    grep -oE -- '-+[A-Za-z-]+' | sort -u
}

unexplained_options()
{
	comm -23 <(options) <(flags "$1/man/pneu.1" | sort -u)
}

@test "each option of --help has an entry in pneu(1)" {
	options | sed -e '/^--verbose$/d' -e 's/^-/.It Fl /' >"$tree/man/pneu.1"
	run unexplained_options "$tree"
	assert_output -- "--verbose"
	clean unexplained_options
	assert [ "$(options | wc -l)" -ge 10 ]
}

@test "each setting but password is an option in --help" {
	run comm -3 <(settings "$PNEU_SRC" | grep -vx password | sort) \
	    <("$PNEU" --help | sed -n '/^Settings/,/^$/s/^ *--\([a-z-]*\)=.*/\1/p' | sort)
	assert_output ""
}

@test "--help fits in 80 columns" {
	run "$PNEU" --help
	assert_success
	assert_line --partial "usage: "
	for line in "${lines[@]}"; do
		assert [ "${#line}" -le 80 ]
	done
}

# The numbers of the sysexits(3) that the source names; _exit() is a child's.
exit_codes()
{
	local name

	for name in $(sed '/_exit(/d' "$1"/src/*.c | grep -ohE '\<EX_[A-Z]+' | sort -u); do
		awk -v name="$name" '$1 == "#define" && $2 == name { print $3 }' /usr/include/sysexits.h
	done
}

unexplained_exits()
{
	local code

	for code in $(exit_codes "$1"); do
		sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/p' "$1/man/pneu.1" | grep -q "^\.It .*\<$code\>" ||
		    echo "$code"
	done
}

@test "each exit code is in the manual" {
	echo "return x ? EX_OK : y ? EX_NOUSER : EX_TEMPFAIL;" >"$tree/src/a.c"
	printf '.Sh EXIT STATUS\n.It 0\n.It Er 75\n.Sh FILES\n.It 67\n' >"$tree/man/pneu.1"
	run unexplained_exits "$tree"
	assert_output "67"
	clean unexplained_exits
	assert [ "$(exit_codes "$PNEU_SRC" | wc -l)" -ge 10 ]
}

# --- README

# Files of src/ that its map leaves out, and files that it names and that are not there.
unmapped()
{
	diff <(cd "$1/src" && ls -- *.[ch] | sort) \
	    <(sed -n '/^ *[0-9]*  *[a-z0-9_]*\.[ch]/p' "$1/README" | grep -oE '\<[a-z0-9_]+\.[ch]\>' | sort) |
	    grep '^[<>]'
	true
}

@test "the map in README names each file of src/, and no other" {
	touch "$tree/src/a.c" "$tree/src/a.h" "$tree/src/b.c"
	printf '%s\n' "a.c, b.c and a.h in prose" "  0  a.c a.h  one" "     c.c      two" >"$tree/README"
	finds unmapped "< b.c"
	assert_output --partial "> c.c"
	clean unmapped
}
