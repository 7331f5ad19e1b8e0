#!/bin/bash
# SPDX-License-Identifier: MIT
# The OSDs' check of an image is about the storage: an image that a killed check left and that the storage still takes
# for open does not fail this one, which goes on and leaves it to the next.
set -eu
. "$(dirname "$0")/../lib.sh"

mkdir -p "$TMP/bin" "$TMP/images"
# In place of rbd files: one whose name is in $TMP/open cannot be removed.
cat >"$TMP/bin/rbd" <<'END'
#!/bin/bash
while [ "${1#--}" != "$1" ]; do shift 2; done
word=$1
shift
[ "${1:-}" != --no-progress ] || shift
case $word in
ls) ls "$IMAGES" ;;
import) cat >"$IMAGES/${4##*/}" ;;
export) cat "$IMAGES/${1##*/}" ;;
rm)
    if grep -qx "${1##*/}" "$IMAGES/../open"; then
        echo "rbd: error: image still has watchers" >&2
        echo "This means the image is still open or the client using it crashed." >&2
        exit 16
    fi
    rm "$IMAGES/${1##*/}" ;;
esac
END
chmod +x "$TMP/bin/rbd"
: >"$TMP/open"
image() { IMAGES=$TMP/images PATH=$TMP/bin:$PATH python3 -B "$ROOT/tests/cli/osd_check.py"; }
there() { find "$TMP/images" -type f -printf '%f\n' | sort; }
left=check-1700000000-1 young=check-$(date +%s)-1
good="success osd.image an image of 4 MiB written to pool volumes, read back equal and removed"

check_same "the check of an image" "$good" "$(image)"
check_same "removes it" "" "$(there)"
touch "$TMP/images/$left" "$TMP/images/$young" "$TMP/images/mine"
echo "$left" >"$TMP/open"
check_same "one that is still open does not fail the check" "$good" "$(image)"
check_same "it is left alone, as is what is young or not of a check" \
    "$(printf '%s\n' "$left" "$young" mine | sort)" "$(there)"
: >"$TMP/open"
check_same "the next check" "$good" "$(image)"
check_same "takes it away" "$(printf '%s\n' "$young" mine | sort)" "$(there)"
finish
