-- +goose Up
-- Failures are found and counted among many attempts that were delivered.
create index attempts_failed on attempts (tenant, id) where not delivered;
create index attempts_by_class on attempts (tenant, class, id) where class <> '';
