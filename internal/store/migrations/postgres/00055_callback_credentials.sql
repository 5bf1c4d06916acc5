-- +goose Up
-- Questions may carry credentials, which are set beside the secrets that sign them.
create table callback_credentials (
    tenant      bigint not null references tenants (id),
    type        text not null,
    transition  text not null,
    credentials bytea not null, -- sealed
    updated_at  bigint not null,
    primary key (tenant, type, transition)
);
