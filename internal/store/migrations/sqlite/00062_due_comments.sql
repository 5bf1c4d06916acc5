-- +goose Up
-- A comment may be due on a date, as 2026-03-14.
alter table comments add column due text not null default '';
