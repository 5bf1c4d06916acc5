-- +goose Up
-- Whether others may be told of an endpoint's failures: not when all that count were at
-- messages about endpoints. It was taken to be so of all that others had been told of.
alter table endpoints add column failing_notable boolean not null default false;
update endpoints set failing_notable = true where failing_told and failing_counted > 0;
