#!/bin/sh
# Run once by the PostgreSQL image; may be run again, and completes what is missing. For each service
# and for the portal a database and two ordinary roles: `contracts` owns the tables and migrates;
# `contracts_app`, with which the processes connect, is granted its rights by each migration.
set -eu
variable() { eval echo "\$$(echo "$1" | tr '[:lower:]' '[:upper:]')"; }
for service in contracts returns commuter notifier interchange portal; do
  psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
    -v name="$service" -v password="$(variable "${service}_PASSWORD")" \
    -v app="${service}_app" -v app_password="$(variable "${service}_APP_PASSWORD")" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN', role) FROM unnest(ARRAY[:'name', :'app']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"name" PASSWORD :'password';
ALTER ROLE :"app" PASSWORD :'app_password';
SELECT format('CREATE DATABASE %1$I OWNER %1$I TEMPLATE template0
  ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE ''C.UTF-8''', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
