-- +goose Up
-- A callback may have several secrets, the newest first: those of before sign too, until
-- the overlap of a rotation ends. What is sealed of a revision above 0 is their list; at
-- revision 0 it is the one key that there was, which has no end.
alter table callback_secrets add column revision integer not null default 0;
