-- +goose Up
-- What people and programs note about an endpoint. Headers of its own are secrets,
-- sealed with the others.

alter table endpoints add column description text not null default '';
alter table endpoints add column metadata text not null default ''; -- a JSON object of texts; '': none
