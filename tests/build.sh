# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# A build that leaves the source tree alone, for tests/run and contrib/try, which set `top` to that tree.
# shellcheck shell=sh disable=SC2034,SC2154

# What building needs, by Debian's names.
build_packages="autoconf automake make gcc libc6-dev pkg-config libgnutls28-dev libbsd-dev"

build_jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)}

# copy_tree DIR: a copy of the source. What builds leave behind is not copied, so that one in the source tree
# changes nothing.
copy_tree()
{
	(cd "$top" && tar -cf - --exclude=./.git --exclude='./build*' --exclude='./pneu-*' --exclude=./pneu \
	    --exclude=./autom4te.cache --exclude=./aclocal.m4 --exclude='./config.*' --exclude=./configure \
	    --exclude=./configure~ --exclude=./Makefile --exclude=./Makefile.in --exclude='./stamp-h*' \
	    --exclude='*.o' --exclude='*.a' --exclude='*.log' --exclude='*.trs' --exclude=.deps \
	    --exclude=.dirstamp --exclude=./tests/peer --exclude=./tests/unit \
	    --exclude=./tests/fuzz/replay --exclude=./contrib/completion/words \
	    --exclude=./contrib/completion/bash --exclude=./contrib/completion/zsh \
	    --exclude=./contrib/completion/fish --exclude=./contrib/vim/syntax .) |
	    (cd "$1" && tar -xf -)
}

# build_tree DIR [option of configure ...]: a configured build in DIR/build, of a copy of the source in
# DIR/source.
build_tree()
{
	dir=$1
	shift
	mkdir -p "$dir/source" "$dir/build" || return 1
	copy_tree "$dir/source" || return 1
	build_step "$dir" sh -c 'cd "$1" && autoreconf -fi' sh "$dir/source" || return 1
	build_step "$dir" sh -c 'cd "$1" && shift && "$@"' sh "$dir/build" "$dir/source/configure" "$@"
}

# build_make DIR [argument of make ...]
build_make()
{
	dir=$1
	shift
	build_step "$dir" make -C "$dir/build" -j "$build_jobs" "$@"
}

# Runs a command; what it says is shown when it fails.
build_step()
{
	log=$1/step.log
	shift
	if ! "$@" </dev/null >"$log" 2>&1; then
		cat "$log"
		return 1
	fi
}
