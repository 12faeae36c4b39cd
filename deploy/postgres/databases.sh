#!/bin/sh
# Run once by the PostgreSQL image: creates a database and an ordinary role for each service
# and for the portal.
set -eu
for service in contracts returns commuter notifier interchange portal; do
  password=$(eval echo "\$$(echo "$service" | tr '[:lower:]' '[:upper:]')_PASSWORD")
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
    -v name="$service" -v password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0
  ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
