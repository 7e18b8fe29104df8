#!/usr/bin/env bats
# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# Many at once put messages into one spool and flush it, against a real Postfix: none is lost, none is sent
# twice.

bats_require_minimum_version 1.5.0

setup_file()
{
	load postfix
	postfix_start
}

teardown_file()
{
	load postfix
	postfix_stop
}

setup()
{
	load helper
	load postfix
	postfix_setup
	# nothing here is about a real disk, and there are many fsyncs
	disk=$(mktemp -d /dev/shm/pneu-flood.XXXXXX 2>/dev/null) || disk=$(mktemp -d)
}

teardown()
{
	rm -rf "$disk"
}

# pneu [argument ...]
pneu()
{
	"$PNEU" --config=/dev/null --server="submission://alice@127.0.0.1:$(postfix_port may)" \
	    --tls-ca="$POSTFIX_DIR/ca.pem" --password-file="$POSTFIX_DIR/alice.password" \
	    --queue="$disk/spool" -f "alice@$POSTFIX_DOMAIN" "$@" 3>&-
}

letter()
{
	printf '%s\n' "Subject: $1" "Message-ID: <$1@flood>" '' "Hello $1."
}

arrived()
{
	grep -h '^Subject: ' "$POSTFIX_DIR/mail/$box/new/"* 2>/dev/null | tr -d '\r'
}

all_arrived()
{
	[ "$(arrived | wc -l)" -ge "$1" ]
}

# FLOOD_ENQUEUERS and FLOOD_MESSAGES of the environment make it a larger one: 50 and 20 are 1,000 messages.
@test "many enqueuers and 4 flushers: none lost, none twice" {
	local n k each enqueuers=() flushers=() many=${FLOOD_ENQUEUERS:-10} messages=${FLOOD_MESSAGES:-10}

	for ((n = 0; n < 4; n++)); do
		while [ ! -e enough ]; do
			pneu --flush || exit 1
		done 2>>errors &
		flushers+=($!)
	done
	for ((n = 0; n < many; n++)); do
		for ((k = 0; k < messages; k++)); do
			letter "$n-$k" | pneu -odq "$to" || exit 1
			echo "Subject: $n-$k" >>wanted
		done 2>>errors &
		enqueuers+=($!)
	done
	for each in "${enqueuers[@]}"; do
		wait "$each"
	done
	touch enough
	for each in "${flushers[@]}"; do
		wait "$each"
	done
	pneu --flush
	assert_equal "$(cat errors)" ""
	assert_equal "$(find "$disk/spool" -name '*.[em]' | wc -l)" 0
	assert_equal "$(wc -l <wanted)" $((many * messages))
	postfix_until all_arrived $((many * messages))
	arrived | sort | diff <(sort wanted) -
}
