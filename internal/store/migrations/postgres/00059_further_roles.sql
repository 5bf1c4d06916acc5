-- +goose Up
-- Users and tokens have further roles, by which case types know them. They are separated by spaces.
alter table users add column further_roles text not null default '';
alter table tokens add column further_roles text not null default '';
alter table portal_links add column further_roles text not null default '';
alter table jobs add column further_roles text not null default '';
alter table owed_questions add column further_roles text not null default '';
