-- +goose Up
-- Questions may carry credentials, which are set beside the secrets that sign them.
create table callback_credentials (
    tenant      integer not null references tenants (id),
    type        text not null,
    transition  text not null,
    credentials blob not null, -- sealed
    updated_at  integer not null,
    primary key (tenant, type, transition)
);
