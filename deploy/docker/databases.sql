-- Run by psql as superuser, once, by the first start of the PostgreSQL container: a plain role per service, which owns
-- its database, comes into no other, and leaves half of the server's connections to the other. Passwords come from files; a statement that fails is not logged.
set log_min_error_statement = panic;
\set inventory `cat "$LOGIN_FOLDER/inventory.password"`
\set reporting `cat "$LOGIN_FOLDER/reporting.password"`
create role inventory login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
  connection limit 45 password :'inventory';
create role reporting login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
  connection limit 45 password :'reporting';
create database inventory owner inventory;
create database reporting owner reporting;
revoke all on database inventory, reporting from public;
