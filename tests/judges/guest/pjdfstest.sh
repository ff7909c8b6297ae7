#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# pjdfstest: each of its files is one case; the sum of single tests goes to
# standard error. TESTS="chmod rename" runs some folders of it.
here=$(dirname "$0")
. "$here/common.sh"
suite=/mnt/share/pjdfstest
mkdir -p /tmp/bin
# only `openssl md5`, and cheaper than the real one
cat >/tmp/bin/openssl <<'END'
#!/bin/sh
md5sum | cut -d' ' -f1
END
chmod 755 /tmp/bin/openssl
PATH=/tmp/bin:$PATH

make_fs /dev/vda && mount_fs /dev/vda /m || exit 1
mkdir /m/work /m/work2
good=0 bad=0
for folder in ${TESTS:-$(ls $suite/tests)}; do
	for file in "$suite/tests/$folder"/*.t; do
		[ -f "$file" ] || continue
		name=$folder/$(basename "$file" .t)
		# timeout itself stays a second longer: not in the file system
		timeout 900 sh -c 'cd /m/work && exec sh "$1"' sh "$file" \
			>/tmp/result 2>/tmp/errors </dev/null
		ok=$(grep -c '^ok ' /tmp/result)
		nok=$(grep '^not ok ' /tmp/result | grep -vc TODO)
		plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' /tmp/result | head -n 1)
		all=$(grep -cE '^(not )?ok ' /tmp/result)
		good=$((good + ok)) bad=$((bad + nok))
		if [ "$nok" = 0 ] && [ "$all" = "${plan:--1}" ]; then
			echo "pass $name"
		else
			echo "fail $name"
			echo "    $name: $nok of ${plan:-?} failed, $all ran" >&2
			grep '^not ok ' /tmp/result | head -n 8 >&2
			head -n 5 /tmp/errors >&2
		fi
	done
done
echo "pjdfstest on $FS: $good tests passed, $bad failed" >&2
check_end /dev/vda /m
