-- +goose Up
-- How an endpoint has fared, so that neither a restart nor another node forgets
-- for how long it has been failing.

alter table endpoints add column health_version integer not null default 0;
alter table endpoints add column failing_since integer not null default 0; -- 0: it is not
alter table endpoints add column failing_counted integer not null default 0; -- from when the time until it is disabled counts; 0: from the next failure on
alter table endpoints add column failing_reason text not null default '';
alter table endpoints add column failing_told boolean not null default false; -- others know, and not yet that it is back
alter table endpoints add column breaker text not null default ''; -- '': closed
