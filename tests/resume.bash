# Copyright (c) 2026 The pneu authors
# SPDX-License-Identifier: ISC

# Sessions with tickets, against a peer that fails unless those are resumed where the dialogue says so, and no
# others.
# In a bats file:
#
#	setup_file()    { load trust; make_certificates; }
#	setup()         { load helper; load trust; load resume; resume_ready; }
#	teardown()      { resume_end; }
#
# tls-resume then keeps its tickets in $tickets.

resume_ready()
{
	trust_ready
	tickets=$XDG_STATE_HOME/pneu/tickets
	server_pid=''
	TLS12=priority=NORMAL:-VERS-ALL:+VERS-TLS1.2
	TLS13=priority=NORMAL:-VERS-ALL:+VERS-TLS1.3
	ln -s "$PNEU_SRC/tests/dialogues/parts" parts
}

resume_end()
{
	[ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
}

# session [word ...]: the lines of a whole session, with more words for TLS.
session()
{
	starttls tickets=one "$@"
	all login
}

# refusal [word ...]: those of one that ends with the handshake.
refusal()
{
	starttls tickets=one try "$@"
	nothing
}

# sessions WORDS ...: serves several of them, one after the other. WORDS that begin with "refused" are for one
# that the client ends.
sessions()
{
	local words

	: >dialogue
	for words; do
		[ ! -s dialogue ] || echo NEXT >>dialogue
		# shellcheck disable=SC2086
		case $words in
		refused*) refusal ${words#refused} >>dialogue ;;
		*) session $words >>dialogue ;;
		esac
	done
	serve
}

# mail [option ...]: one goes out, and nothing is said about it.
mail()
{
	client --tls-resume "$@"
	assert_success
	assert_equal "$output$stderr" ""
}

# count N: so many tickets are kept, and nothing else.
count()
{
	run find "$tickets" -type f -name '????????????????????????????????????????????????????????????????'
	assert_equal "${#lines[@]}" "$1"
	run find "$tickets" ! -type d
	assert_equal "${#lines[@]}" "$1"
}
