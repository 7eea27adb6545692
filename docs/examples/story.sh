#!/bin/sh
# The story of README.md beside this file, told by the command line itself: some seconds, in a database of its own.
# Needs `regen` on the PATH, or its path in REGEN. Exit status 0: everything came out as told.
set -eu
cd "$(dirname "$0")"
start=${REGEN:-regen}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
REGEN_DB="sqlite:///$work/regen.db"
export REGEN_DB
tab=$(printf '\t')

regen() { command "$start" "$@"; }  # not this function again
tell() { printf '\n%s\n' "$*"; }
short() { sed -E -e "s|$work/||g" -e 's#( (0[0-9]-[a-z]+)/[^ ]+)+# \2/*#'; }
echoed() { printf '$ %s\n' "$*" | short; }
quietly() { "$@" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }; }
shown() { echoed "$@"; "$@"; }
summed() { echoed "$@"; quietly "$@"; grep -v '^idList' "$work/said" | tail -n 1 | short; }
off() { echo "story.sh: $1" >&2; cat "$work/said" >&2; exit 1; }
says() { grep -Eq -- "$1" "$work/said" || off "this was to say $1:"; }
hides() { if grep -Eq -- "$1" "$work/said"; then off "this was not to say $1:"; fi; }

tell '1. What was posted becomes transactions, and Revenue collects them.'
summed regen load 01-posted/*
shown regen run --type Invoice --number INV00000104
quietly regen run --type CreditMemo --number CM00000021
quietly regen run --type DebitMemo --number DM00000011
quietly regen run --type InvoiceItemAdjustment --number IIA-00000007
summed regen deliver --to ledger
says '10 collected'

tell '2. A backfill replaces two documents. Regenerating without flags keeps what is stored; the plan shows what drifted.'
summed regen load 02-backfill/*
shown regen plan --type Invoice --number INV00000104

tell '3. --re-migrate overrides what is stored, voids what is gone, and has Revenue collect again.'
shown regen run --type Invoice --number INV00000104 --re-migrate
summed regen deliver --to ledger
shown regen show revenue --type Invoice --number INV00000104

tell '4. A batch for Revenue gets lost, and Revenue keeps the old amount until it is resent.'
quietly regen run --type CreditMemo --number CM00000021 --re-migrate
summed regen deliver --to "file:$work/lost.ndjson"
summed regen run --type CreditMemo --number CM00000021
summed regen deliver --to ledger
says '0 collected, 2 ignored'
summed regen run --type CreditMemo --number CM00000021 --only-re-send
summed regen deliver --to ledger
says '2 collected, 0 ignored'
shown regen show revenue --type CreditMemo --number CM00000021

tell '5. A line that was removed by mistake comes back. The three operations side by side, as plans:'
quietly regen load 03-restored/*
summed regen plan --type Invoice --number INV00000104 --only-re-send
summed regen plan --type Invoice --number INV00000104
summed regen plan --type Invoice --number INV00000104 --re-migrate
says 'TBL-W8 +TBL-S6'

quietly regen show revenue
says "INV00000104${tab}.*line${tab}2${tab}INV${tab}no${tab}1180.00"
says "INV00000104${tab}.*tombstone${tab}2${tab}INV${tab}no${tab}450.00"
says "CM00000021${tab}.*line${tab}2${tab}CM-C${tab}no${tab}-38.00"
hides '300.00' # the deposit is excluded from revenue
tell 'All came out as told. The same with a word on each step: docs/examples/README.md'
