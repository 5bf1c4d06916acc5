-- +goose Up
-- Where a tenant's people find the server, without a slash at the end; empty: it
-- follows from the tenant's host names and the installation's public URL.

alter table tenants add column public_url text not null default '';
