#!/bin/sh
# Verifies one message: WEBHOOK_SECRET=whsec_... sh verify.sh ID TIMESTAMP SIGNATURES < body
# Exits with 0 if one of the signatures is valid. Check the age of the timestamp separately.
set -eu
key=$(printf %s "${WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
expected=$({ printf '%s.%s.' "$1" "$2"; cat; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
case " $3 " in *" v1,$expected "*) exit 0 ;; *) exit 1 ;; esac
