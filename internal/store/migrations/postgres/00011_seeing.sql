-- +goose Up
-- Attempts are found by what a receiver knows of a request: its webhook-id.

drop index if exists attempts_by_message;
create index attempts_by_message on attempts (tenant, message, id);
