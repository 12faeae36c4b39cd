#!/bin/sh
# Starts RabbitMQ (the arguments are its command) with a user for the services. Only a definitions
# file can create it without the default guest user; the password comes from the environment, so the
# file is written here, readable by its owner only. The services declare queues and the exchange.
set -eu
: "${MADOGUCHI_PASSWORD:?}"
here=$(cd "$(dirname "$0")" && pwd)
place=${MADOGUCHI_PLACE:-/var/lib/rabbitmq/madoguchi}
umask 077
mkdir -p "$place"
# Escape backslash and quote for JSON. The file has @PASSWORD@ as a placeholder.
password=$(printf %s "$MADOGUCHI_PASSWORD" | sed 's/[\\"]/\\&/g')
PASSWORD=$password awk '{ at = index($0, "@PASSWORD@"); if (at)
  $0 = substr($0, 1, at - 1) ENVIRON["PASSWORD"] substr($0, at + 10); print }' \
  "$here/definitions.json" >"$place/definitions.json"
# Valid messages are far below a megabyte; the broker closes the channel of a larger one.
printf 'load_definitions = %s\nmax_message_size = 1048576\n' "$place/definitions.json" \
  >"$place/rabbitmq.conf"
[ "$(id -u)" != 0 ] || ! id rabbitmq >/dev/null 2>&1 || chown -R rabbitmq "$place"
export RABBITMQ_CONFIG_FILE="$place/rabbitmq"
unset MADOGUCHI_PASSWORD
exec "$@"
