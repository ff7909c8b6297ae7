# SPDX-License-Identifier: MPL-2.0
# Lists of xfstests' generic tests by number, one a line, # begins a comment:
#   xfstests.ext4       quick ones that pass on ext4 in this guest
#   xfstests.lake       quick ones that pass on a lake beyond those
#   xfstests.selection  thirty for the slow debug kernel
# What ran last, and how it ended, is kept in out/judges/xfstests-FS-KERNEL.txt
# over all runs. Source suite.sh first.
xfstests_kept() {
	printf '%s/judges/xfstests-%s-%s.txt\n' "$LAKE_OUT" "$FS" "$kernel"
}

xfstests_list() { # FILE
	sed 's/[ \t]*#.*//' "$here/$1" | grep -E '^[0-9]{3}$'
}

xfstests_quick() {
	grep -l '^_begin_fstest.*quick' "$XFSTESTS"/tests/generic/??? |
		sed 's,.*/,,'
}

# TESTS: numbers, names of lists without `xfstests.`, quick for all quick ones,
# fail or slow for those that ended so last. Without it a lake is judged by the
# lists, and ext4 runs all quick ones. SHARD=I/N takes a part, MISSING=1 what
# has not run yet.
xfstests_wanted() {
	local word wanted="${TESTS:-}" shard=${SHARD:-1/1}
	if [ -z "$wanted" ]; then
		[ "$FS" = lakefs ] && wanted='ext4 lake' || wanted=quick
	fi
	for word in $wanted; do
		case $word in
		quick) xfstests_quick ;;
		fail | slow) sed -n "s/^$word //p" "$(xfstests_kept)" ;;
		[0-9]*) echo "$word" ;;
		*) xfstests_list "xfstests.$word" || die "no list $word" ;;
		esac
	done | awk '!seen[$0]++' | if [ -n "${MISSING:-}" ]; then
		awk '!f { seen[$2] = 1; next } !($1 in seen)' \
			<(cat "$(xfstests_kept)" 2>/dev/null) f=1 -
	else
		cat
	fi | awk -v s="$shard" \
		'BEGIN { split(s, p, "/") } NR % p[2] == p[1] % p[2]'
}

xfstests_part() { # I N NUMBER...
	local i=$1 n=$2
	shift 2
	printf '%s\n' "$@" | awk -v i="$i" -v n="$n" 'NR % n == i % n' |
		tr '\n' ' '
}

# xfstests_record RESULTS: into what is kept; the last result of a test counts.
xfstests_record() {
	local kept
	kept=$(xfstests_kept)
	mkdir -p "${kept%/*}"
	touch "$kept"
	grep -hE '^(pass|fail|skip|slow) [0-9]{3}$' "$kept" "$1" |
		awk '{ last[$2] = $1 } END { for (t in last) print last[t], t }' |
		LC_ALL=C sort -k2 >"$kept.new"
	mv "$kept.new" "$kept"
}
