-- +goose Up
-- A question may keep what was submitted, so that another callback can be asked about it later, and what its answer
-- confirms.
alter table questions add column submission text not null default '';
alter table questions add column confirmation text not null default '';
