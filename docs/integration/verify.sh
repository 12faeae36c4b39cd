#!/bin/sh
# One message: WEBHOOK_SECRET=whsec_... sh verify.sh ID TIMESTAMP SIGNATURES < body
# Ends with 0 if one of the signatures is ours. How old the timestamp is, ask beside it.
set -eu
key=$(printf %s "${WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
expected=$({ printf '%s.%s.' "$1" "$2"; cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
case " $3 " in *" v1,$expected "*) exit 0 ;; *) exit 1 ;; esac
