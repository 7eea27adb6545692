#!/bin/sh
# The story of README.md beside this file, told by the command line itself: some seconds, in a database of its own.
# Needs `regen` on the PATH, or in REGEN the command that starts it. Exit status 0: all came out as told.
set -eu
cd "$(dirname "$0")"
start=${REGEN:-regen}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
REGEN_DB="sqlite:///$work/regen.db"
export REGEN_DB
lost="$work/lost.ndjson"

tell() { printf '\n%s\n' "$*"; }
quietly() { "$@" >"$work/said" 2>"$work/errors" || { cat "$work/said" "$work/errors"; exit 1; }; }
regen() { $start "$@"; }
shown() { printf '$ %s\n' "$*" | sed "s|$work/||"; quietly "$@"; cat "$work/said"; }
expect() { grep -Eq -- "$1" "$work/said" || { echo "story.sh: expected to read: $1" >&2; exit 1; }; }
never() { if grep -Eq -- "$1" "$work/said"; then echo "story.sh: expected not to read: $1" >&2; exit 1; fi; }

tell '1. What was posted becomes transactions, and Revenue collects them.'
shown regen load 01-posted/*
shown regen run --type Invoice --number INV00000104
quietly regen run --type CreditMemo --number CM00000021
quietly regen run --type DebitMemo --number DM00000011
quietly regen run --type InvoiceItemAdjustment --number IIA-00000007
shown regen deliver --to ledger
shown regen show revenue --type Invoice --number INV00000104

tell '2. A backfill replaces documents. Regenerating as before keeps what is stored; the plan shows the drift.'
shown regen load 02-backfill/*
shown regen plan --type Invoice --number INV00000104

tell '3. reMigrate overrides what is stored, voids what is gone, and has Revenue collect again.'
shown regen run --type Invoice --number INV00000104 --re-migrate
quietly regen deliver --to ledger
shown regen show revenue --type Invoice --number INV00000104

tell '4. A batch for Revenue gets lost on its way. Only a resend brings it there: without it Revenue keeps what it has.'
quietly regen run --type CreditMemo --number CM00000021 --re-migrate
quietly regen deliver --to "file:$lost"
quietly regen run --type CreditMemo --number CM00000021
quietly regen deliver --to ledger
shown regen show revenue --type CreditMemo --number CM00000021
shown regen run --type CreditMemo --number CM00000021 --only-re-send
quietly regen deliver --to ledger
shown regen show revenue --type CreditMemo --number CM00000021

tell '5. One of the removed lines was removed by mistake and comes back. The three operations side by side:'
quietly regen load 03-restored/*
shown regen plan --type Invoice --number INV00000104 --only-re-send
shown regen plan --type Invoice --number INV00000104
shown regen plan --type Invoice --number INV00000104 --re-migrate
