-- +goose Up
-- Several callbacks may be asked at one point, and a question is to the one with a key.
alter table questions add column callback text not null default '';
