-- +goose Up
-- The span of the commit, as a traceparent header names it, so that deliveries
-- belong to its trace, however much later and wherever they are made. Empty: none.

alter table journal add column trace text not null default '';
