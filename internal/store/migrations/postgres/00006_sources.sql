-- +goose Up
-- Whose activity an endpoint hears of, and the host names by which tenants are found.

alter table endpoints add column sources text not null default ''; -- 'ui' or 'api'; empty: both
alter table endpoints add column ignore_own boolean not null default false;
alter table endpoints add column token text not null default ''; -- whose activity ignore_own skips

create table hosts (
    name   text primary key, -- lower-case, without a port
    tenant bigint not null references tenants (id)
);
create index hosts_by_tenant on hosts (tenant, name);
