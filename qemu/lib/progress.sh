# SPDX-License-Identifier: MPL-2.0
# What takes long says so. Part of common.sh.

# Seconds between two lines where nobody watches: in logs.
LAKE_PROGRESS_SECONDS=${LAKE_PROGRESS_SECONDS:-15}

# What is done in less is not worth a line.
LAKE_PROGRESS_LATE=5

# with_progress [--late] WHAT CMD...: says that WHAT begins, and while the
# command lasts for how long it has: on a terminal in one line that changes each
# second, else in a line every 15 seconds. With --late nothing is said of what
# is done within 5 seconds. What the command writes is shown as it comes, except
# lines `I: ...`: they name the part it is at, which is told with the time
# (mmdebstrap writes such). The status is the command's; a shell function must
# not count on `set -e`. One at a time in a shell.
with_progress() {
	local late='' what status=0 teller owner=$BASHPID
	[ "$1" != --late ] || { late=1; shift; }
	what=$1
	shift
	[ -n "$late" ] || step "$what"
	exec 8> >(progress_tell "$owner" "${late:+$what}")
	teller=$!
	"$@" >&8 2>&8 8>&- || status=$?
	# Not by closing alone: what the command left behind (a build server) may
	# hold the pipe for long.
	printf '\n%s\n' "$LAKE_PROGRESS_END" >&8
	exec 8>&-
	wait "$teller" 2>/dev/null || :
	return $status
}

LAKE_PROGRESS_END='progress: the command has ended'

# progress_tell OWNER LATE: reads what the command writes; in between it tells
# the time. Ends with the command, or with the shell OWNER.
progress_tell() {
	local owner=$1 late=$2 every=$LAKE_PROGRESS_SECONDS began=$SECONDS
	local told=0 gone part='' piece line='' status shown=''
	# The same Ctrl-C ends the command, which may have something to say of it.
	trap '' INT TERM HUP
	[ ! -t 2 ] || every=1
	while [ -d "/proc/$owner" ]; do
		status=0
		IFS= read -r -t 1 piece || status=$?
		line+=$piece
		if [ $status = 0 ]; then
			[ "$line" != "$LAKE_PROGRESS_END" ] || break
			case $line in
			'') ;;
			'I: '*) part=": ${line#I: }" ;;
			*) progress_clear; printf '%s\n' "$line" >&2 ;;
			esac
			line=''
		elif [ $status -le 128 ]; then
			break # no end was said: the shell was killed
		fi
		gone=$((SECONDS - began))
		if [ -n "$late" ] && [ $gone -ge $LAKE_PROGRESS_LATE ]; then
			step "$late"
			late=''
		elif [ -z "$late" ] && [ $((gone - told)) -ge "$every" ]; then
			told=$gone
			progress_clear
			printf '    %s s%s' $gone "$part" >&2
			[ -t 2 ] && shown=1 || printf '\n' >&2
		fi
	done
	progress_clear
}

# Takes the line of the time away, on a terminal.
progress_clear() {
	[ -z "$shown" ] || printf '\r\033[K' >&2
	shown=''
}
