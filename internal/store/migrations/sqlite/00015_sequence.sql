-- +goose Up
-- Entries have their positions from the beginning here.
select 1;
