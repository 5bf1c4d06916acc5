-- +goose Up
-- What the operator lets a tenant call, with spaces between: names of variables that
-- its callbacks' URLs may begin with, and addresses that are not public.

alter table tenants add column variables text not null default '';
alter table tenants add column allow_addresses text not null default '';
