-- +goose Up
-- The backlog counts the dead messages that are neither dropped nor delivered, among many that are.
create index dead_in_backlog on dead (state) where state in ('dead', 'retrying');
