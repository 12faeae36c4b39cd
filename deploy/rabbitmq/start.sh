#!/bin/sh
# Starts RabbitMQ (the words after this script's name) with a user for the services. A definitions
# file is the only way to have one without the default guest; the password comes from the
# environment, so the file is written here, readable by nobody else. Queues and the exchange are
# declared by the services.
set -eu
: "${MADOGUCHI_PASSWORD:?}"
here=$(cd "$(dirname "$0")" && pwd)
place=${MADOGUCHI_PLACE:-/var/lib/rabbitmq/madoguchi}
umask 077
mkdir -p "$place"
# As JSON wants it: backslash and quote escaped. @PASSWORD@ stands for it in the file.
password=$(printf %s "$MADOGUCHI_PASSWORD" | sed 's/[\\"]/\\&/g')
PASSWORD=$password awk '{ at = index($0, "@PASSWORD@"); if (at)
  $0 = substr($0, 1, at - 1) ENVIRON["PASSWORD"] substr($0, at + 10); print }' \
  "$here/definitions.json" >"$place/definitions.json"
# A message of a megabyte is none of ours, nor of a dealer's: the broker ends its channel.
printf 'load_definitions = %s\nmax_message_size = 1048576\n' "$place/definitions.json" \
  >"$place/rabbitmq.conf"
[ "$(id -u)" != 0 ] || ! id rabbitmq >/dev/null 2>&1 || chown -R rabbitmq "$place"
export RABBITMQ_CONFIG_FILE="$place/rabbitmq"
unset MADOGUCHI_PASSWORD
exec "$@"
