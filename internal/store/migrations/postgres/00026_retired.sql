-- +goose Up
-- Case types of which no new cases are made. All versions of a type are retired as one.

create table retired_types (
    tenant     bigint not null references tenants (id),
    type       text not null, -- its key
    retired_at bigint not null,
    primary key (tenant, type)
);
