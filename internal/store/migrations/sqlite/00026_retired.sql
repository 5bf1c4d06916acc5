-- +goose Up
-- Case types of which no new cases are made. All versions of a type are retired as one.

create table retired_types (
    tenant     integer not null references tenants (id),
    type       text not null, -- its key
    retired_at integer not null,
    primary key (tenant, type)
);
