-- +goose Up
-- A token may be a user's own; 0: it is the tenant's.
alter table tokens add column user_id integer not null default 0;
create index tokens_by_user on tokens (tenant, user_id, id) where user_id <> 0;
