-- +goose Up
-- Which messages an endpoint is told: a condition in CEL; '': all that it listens to.

alter table endpoints add column condition text not null default '';
