-- +goose Up
-- Filters of the console's pages that people have saved.
create table views (
    id         text primary key,
    tenant     integer not null references tenants (id),
    owner      text not null,
    name       text not null,
    page       text not null,
    query      text not null,
    shared     boolean not null,
    created_at integer not null
);
create index views_by_tenant on views (tenant, id);
