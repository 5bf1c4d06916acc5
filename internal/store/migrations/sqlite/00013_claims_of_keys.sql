-- +goose Up
-- While a request is under way its row has the status 0: nobody else asks anything under its key.
alter table idempotency add column claimed_by text not null default ''; -- a process; empty once there is an answer
alter table idempotency add column claimed_until integer not null default 0;
