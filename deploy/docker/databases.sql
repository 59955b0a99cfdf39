-- Run once, by the first start of the PostgreSQL container, which has made the database "inventory" itself.
create database reporting;
