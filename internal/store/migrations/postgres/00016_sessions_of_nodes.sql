-- +goose Up
-- By which of its connections the database knows that a node is there, and since
-- when; 0: by none. A process that is killed loses it at once.
alter table nodes add column session bigint not null default 0;
alter table nodes add column session_at bigint not null default 0;
