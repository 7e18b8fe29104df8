# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC
#
# A client of pneu -bs: its dialogue on standard input and output. A test sets $settings, lines of the
# configuration, and $offers, what the server has.

serve_begin()
{
	ln -s "$PNEU" sendmail
	settings=()
	offers=(PIPELINING 8BITMIME 'SIZE 10000')
	pid=
}

serve_end()
{
	if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
		kill -KILL "$pid"
	fi
}

# starts [argument ...]: the program, which greets. Its server is the one of peer_start.
starts()
{
	printf '%s\n' "server smtp://127.0.0.1:${peer_port:-1}" "tls none" "ehlo mail.sender.com" \
	    "${settings[@]}" >config
	mkfifo to from
	"$BATS_TEST_TMPDIR/sendmail" --config=config "$@" -bs <to >from 2>said 3>&- &
	pid=$!
	exec 8>to 9<from
	hears '220 * ESMTP pneu'
}

# says LINE ...: each with CR LF.
says()
{
	printf '%s\r\n' "$@" >&8
}

# hears PATTERN ...: so it answers, line by line, each ended by CR LF.
hears()
{
	local pattern answer

	for pattern; do
		IFS= read -r -t 20 -u 9 answer || fail "no answer, wanted: $pattern; $(cat said)"
		[[ $answer == *$'\r' ]] || fail "no CR LF: $answer"
		# shellcheck disable=SC2053
		[[ ${answer%$'\r'} == $pattern ]] || fail "wanted $pattern, got $answer"
	done
}

# ends [STATUS]: the client leaves; the program ends so and has nothing more to say.
ends()
{
	local status=0 rest

	exec 8>&-
	rest=$(cat <&9)
	exec 9<&-
	wait "$pid" || status=$?
	pid=
	assert_equal "$status" "${1:-0}"
	assert_equal "$rest" ""
	if [ "${1:-0}" -eq 0 ]; then
		assert_equal "$(cat said)" ""
	fi
}

greets()
{
	says "EHLO client"
	hears '250-*' '250-8BITMIME' '250-SIZE 10000' '250-PIPELINING' '250-ENHANCEDSTATUSCODES' \
	    '250 CHUNKING'
}

# The server up to its reply to EHLO, which has what is in $offers.
server_start()
{
	{
		printf '%s\n' 'S: 220 smtp.example.com ESMTP' 'C: EHLO mail.sender.com' \
		    'S: 250-smtp.example.com'
		printf 'S: 250-%s\n' "${offers[@]}"
		echo 'S: 250 HELP'
		cat
	} >script
	peer_start script
}

# The message number $1 that arrived, without CRs and the fields that were added.
arrived()
{
	tr -d '\r' <"$peer_dir/message.$1" | sed -e '/^Date: /d' -e '/^Message-ID: /d' -e '/^From: /d'
}
