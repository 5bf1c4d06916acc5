-- +goose Up
-- Attempts are found by what a receiver knows of a request: its webhook-id.

drop index if exists attempts_by_message;
create index attempts_by_message on attempts (tenant, message, id);

-- What an endpoint lost that had been stopped for longer than entries wait for it:
-- the times of the first and the last such entry. 0: nothing.
alter table endpoints add column expired_from bigint not null default 0;
alter table endpoints add column expired_to bigint not null default 0;
